"""The command line: one module a command; app.py only puts them together."""
