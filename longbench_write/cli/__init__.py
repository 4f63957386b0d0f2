"""The command line: one module a command; app.py only puts them together, and entry.py is what is started."""

import gc

gc.set_threshold(20_000)  # new objects that bring a search for garbage: with Python's 700 a short run has 300
