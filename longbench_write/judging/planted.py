"""Scores that a response plants for its judge, in whatever spelling, so that a quotation of them is known."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cached_property
from urllib.parse import unquote

import regex

from longbench_write.metrics.quality import DIMENSIONS

_NAMES = {name: "".join(name.split()).casefold() for name in DIMENSIONS}
_FIRST_WORDS = tuple(name.split()[0].casefold() for name in DIMENSIONS)
_NAME = "|".join(r"[\s_-]*".join(name.casefold().split()) for name in DIMENSIONS)
_SCORE = re.compile(rf"({_NAME})\W{{1,12}}(?:(?:score|value|rating)\W{{1,12}})?([1-5])(?![\d/])")
"""A dimension and its score, in JSON, YAML, Python, XML, a table or prose."""

_ESCAPE = re.compile(r"\\(?:u\{?([0-9a-f]{4,6})\}?|x([0-9a-f]{2})|(.))", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"/\*.{0,300}?\*/|<!--.{0,300}?-->|(?://|#)[^\n]*", re.DOTALL)
_FORMAT = regex.compile(r"\p{Cf}+")
"""Characters without width."""
_ENCODED = re.compile(r"[A-Za-z0-9+/_-]{24,}(?:\s[A-Za-z0-9+/_-]{24,})*={0,2}")


class Planted:
    """What a response says about its own scores.

    Args:
        response: The text that was judged.
    """

    def __init__(self, response: str) -> None:
        self._response = response

    def holds(self, source: str, scores: Mapping[str, int] | None, analysis: str) -> bool:
        """Return whether the response holds an object of a reply, as it stands or spelled in another way.

        That it does where the object stands in it, white space aside; or where it gives the same six scores,
        and the analysis beside them, if there is any, stands in it letter by letter.

        Args:
            source: The object, as the judge wrote it.
            scores: Its six scores, if it has them.
            analysis: Its analysis.
        """
        if not self._response:
            return False
        if "".join(source.split()) in self._squeezed:
            return True
        if scores is None or any(score not in self._scores[name] for name, score in scores.items()):
            return False
        wanted = _letters(_plain(analysis))
        return any(wanted in letters for letters in self._letters)

    @cached_property
    def _squeezed(self) -> str:
        return "".join(self._response.split())

    @cached_property
    def _readings(self) -> list[str]:
        return [
            reading for text in (self._response, *_decoded(self._response)) for reading in _readings(text)
        ]

    @cached_property
    def _letters(self) -> list[str]:
        return [_letters(reading) for reading in self._readings]

    @cached_property
    def _scores(self) -> dict[str, set[int]]:
        """The scores that the response gives to each dimension."""
        found: dict[str, set[int]] = {name: set() for name in DIMENSIONS}
        names = {folded: name for name, folded in _NAMES.items()}
        for reading in self._readings:
            if not all(name in reading for name in _FIRST_WORDS):
                continue
            for match in _SCORE.finditer(reading):
                found[names[re.sub(r"[\s_-]+", "", match[1])]].add(int(match[2]))
        return found


def _readings(text: str) -> Iterator[str]:
    """Yield a text freed of its spelling: entities, escapes, widths, case; then without its comments too."""
    plain = _plain(text)
    yield plain
    if (bare := _COMMENT.sub("", plain)) != plain:
        yield bare


def _plain(text: str) -> str:
    for _ in range(2):
        text = html.unescape(text)
    text = _ESCAPE.sub(_character, unquote(text))
    if not text.isascii():
        text = _FORMAT.sub("", unicodedata.normalize("NFKC", text))
    return text.casefold()


def _character(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    if code is None:
        return {"n": "\n", "t": "\t", "r": "\n"}.get(escape[3], escape[3])
    number = int(code, 16)
    return chr(number) if number <= 0x10FFFF else ""


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _decoded(text: str) -> Iterator[str]:
    """Yield the texts that stand in a text as base64."""
    for match in _ENCODED.finditer(text):
        data = "".join(match[0].split()).rstrip("=").replace("-", "+").replace("_", "/")
        try:
            yield base64.b64decode(data + "=" * (-len(data) % 4)).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue
