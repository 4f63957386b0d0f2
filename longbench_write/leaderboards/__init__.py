"""Leaderboards: runs ranked with what they may be compared with, laid out as tables, written in six formats.

ranking -> layout -> formats; published holds the reference rows, which are never ranked.
"""
