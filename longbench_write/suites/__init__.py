"""Prompt lists: their cards, loading and selection."""
