"""Runs set beside each other: blocks, ranks, paired differences, baselines, agreement."""
