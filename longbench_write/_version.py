"""The version of this package, apart from everything else, so that it is read without importing anything."""

__version__ = "0.1.0"
