"""Measurements of this project, each a command: `python -m benchmarks.NAME`."""
