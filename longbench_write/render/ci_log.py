"""Untrusted text in the log of a CI job, where some lines are commands to the runner."""

from __future__ import annotations

import re

from longbench_write.render.text import printable

_COMMAND = re.compile(r"(?:^|(?<=\s)):(?=:)|:(?=:[\w-]+(?:\s[^:]*)?::)|(?<=#)#(?=[\w.]*\[)")
"""`::` at a word's start and `::word::` anywhere, since a table breaks lines; `##[` (actions/runner issue
4692), `##vso[`, `##teamcity[` anywhere."""


def escape_ci_log(text: str) -> str:
    """Return the text as one line that neither a terminal nor a CI runner interprets.

    What is not printable, line feeds included, and a character of each command's mark become U+FFFD.
    """
    return _COMMAND.sub("\N{REPLACEMENT CHARACTER}", printable(text))


def escape_command(message: str) -> str:
    """Escape the message of a GitHub workflow command; the runner decodes it."""
    for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        message = message.replace(char, code)
    return message


def escape_command_property(value: str) -> str:
    """Escape the value of a GitHub workflow command's property, such as its title."""
    return escape_command(value).replace(":", "%3A").replace(",", "%2C")
