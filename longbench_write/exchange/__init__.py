"""Runs from and for elsewhere: other harnesses' files become run folders, and runs become others' files."""
