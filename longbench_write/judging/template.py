"""Filling in a judge's template."""

from __future__ import annotations

import re

from longbench_write.errors import UsageError

PLACEHOLDERS = ("$INST$", "$RESPONSE$")
"""Where the prompt and the response go."""

_PLACEHOLDER = re.compile("|".join(map(re.escape, PLACEHOLDERS)))


def fill(template: str, *, prompt: str, response: str) -> str:
    """Put the prompt and the response in their places, in one pass: what is put in is never scanned again.

    Raises:
        UsageError: The template lacks a placeholder.
    """
    for placeholder in PLACEHOLDERS:
        if placeholder not in template:
            raise UsageError(f"the judge's template has no {placeholder}: write it where that text belongs")
    values = dict(zip(PLACEHOLDERS, (prompt, response), strict=True))
    return _PLACEHOLDER.sub(lambda match: values[match[0]], template)
