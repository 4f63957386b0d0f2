"""Filling in a judge's template."""

from __future__ import annotations

import hashlib
from pathlib import Path

from longbench_write.errors import UsageError
from longbench_write.files.reading import read_text
from longbench_write.render.template import fill_template

PLACEHOLDERS = ("$INST$", "$RESPONSE$")
"""Where the prompt and the response go."""
MARK = "$MARK$"
"""Where a template may put a mark that tells its own lines from a response's: a hash of all that is put in,
which nothing that is put in can contain."""


def read_template(path: Path) -> str:
    """Read a template.

    Raises:
        UsageError: It cannot be read.
    """
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the judge's template {path} cannot be read: {error}") from None


def fill(template: str, *, prompt: str, response: str) -> str:
    """Put the prompt and the response in their places, in one pass: what is put in is never scanned again.

    Raises:
        UsageError: The template lacks a placeholder.
    """
    for placeholder in PLACEHOLDERS:
        if placeholder not in template:
            raise UsageError(f"the judge's template has no {placeholder}: write it where that text belongs")
    values = dict(zip((*PLACEHOLDERS, MARK), (prompt, response, _mark(prompt, response)), strict=True))
    return fill_template(template, values)


def _mark(prompt: str, response: str) -> str:
    text = f"{prompt}\0{response}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(text).hexdigest()[:16]
