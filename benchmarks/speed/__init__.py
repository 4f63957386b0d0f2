"""Speed and memory, beside the limit and beside peers: `python -m benchmarks.speed` writes RESULTS.md.

Each module but the tools (section, measure, server) measures a section of it, with `measure(settings)`.
"""
