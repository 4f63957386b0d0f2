"""One of each, from outside."""

from pathlib import Path

JUDGE = Path(__file__).parent / "outside-judge"
"""The judge's folder."""
