"""Filling in a prompt template, in one pass."""

from __future__ import annotations

import re
from collections.abc import Mapping


def fill_template(template: str, values: Mapping[str, str]) -> str:
    """Put texts in the places of their placeholders; what is put in is never scanned again.

    Args:
        template: Text with placeholders, such as `$INST$`.
        values: Each placeholder with its text; one that the template lacks is ignored.
    """
    placeholders = re.compile("|".join(map(re.escape, values)))
    return placeholders.sub(lambda match: values[match[0]], template)
