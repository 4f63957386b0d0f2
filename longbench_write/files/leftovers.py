"""What git left in a file in place of its text: marks of a conflict, or a pointer to text kept elsewhere."""

from __future__ import annotations

import re

_MARKS = re.compile(r"^(?:<{7}|>{7}|\|{7})(?: .*)?\r?$", re.MULTILINE)
_LFS = "version https://git-lfs.github.com/spec/"


def git_leftover(text: str) -> str:
    """Return what git left, and what helps; "" where the text is a file's own.

    Args:
        text: Of a file in which no line begins with seven brackets or bars by itself, as in JSON and YAML.
    """
    if text.startswith(_LFS):
        return "it is a Git LFS pointer, not the file: `git lfs pull` gets the file"
    if mark := _MARKS.search(text):
        line = text.count("\n", 0, mark.start()) + 1
        return f"it has git's conflict markers, the first on line {line}: resolve the merge, or take one side"
    return ""
