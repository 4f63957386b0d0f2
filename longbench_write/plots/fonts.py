"""Which fonts text is drawn in, and text made safe to draw: no missing glyph, no markup, no endless line."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Iterable

from matplotlib import font_manager
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

BASE = "DejaVu Sans"
"""Comes with matplotlib."""
CJK = (
    # A line a vendor, unpacked: the formatter would give each font a line of its own.
    *("Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans CJK HK", "Noto Sans CJK JP", "Noto Sans CJK KR"),
    *("Noto Sans SC", "Source Han Sans SC", "Source Han Sans CN", "Source Han Sans"),
    *("PingFang SC", "Hiragino Sans GB", "Heiti SC", "Heiti TC", "STHeiti", "Songti SC"),
    *("Microsoft YaHei", "DengXian", "SimHei", "SimSun", "Arial Unicode MS"),
    *("WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "Droid Sans Fallback", "Noto Serif CJK SC"),
    *("Noto Serif CJK JP", "AR PL UMing CN", "AR PL UKai CN"),
)
"""Fonts that have Chinese, the best first; the first one that is installed is used."""


@functools.cache
def families() -> tuple[str, ...]:
    """Return the fonts to draw with: matplotlib's own, and one that has Chinese if the system has it."""
    manager = font_manager.fontManager
    known = {entry.fname for entry in manager.ttflist}
    for path in font_manager.findSystemFonts():
        if path not in known:
            with contextlib.suppress(RuntimeError, OSError):  # FreeType cannot scale it: of no use here
                manager.addfont(path)
    installed = {entry.name for entry in manager.ttflist}
    return (BASE, *[name for name in CJK if name in installed][:1])


@functools.cache
def _has_glyph(family: str, char: str) -> bool:
    path = font_manager.findfont(FontProperties(family=[family]), fallback_to_default=False)
    return font_manager.get_font(path).get_char_index(ord(char)) != 0


def _can_show(char: str) -> bool:
    return char.isprintable() and any(_has_glyph(family, char) for family in families())


@functools.cache
def _advance(char: str) -> float:
    points, _, _ = text_to_path.get_text_width_height_descent(
        char, FontProperties(family=list(families()), size=100), ismath=False
    )
    return points / 100


def width(text: str) -> float:
    """Return how wide a line is that can be drawn, in multiples of its font size."""
    return sum(map(_advance, text))


def shown(text: str, most: float = 100) -> str:
    r"""Return an untrusted text as one line that can be drawn.

    A character that no font has, or that is not printable, becomes its escape, such as \u4e2d; what is wider
    than allowed loses its middle.

    Args:
        text: Any text.
        most: Its width at most, in multiples of the font size.
    """
    line = "".join(
        char if _can_show(char) else char.encode("unicode_escape").decode() for char in " ".join(text.split())
    )
    if width(line) <= most:
        return line
    return f"{_head(line, (most - 1) / 2)}…{_head(line[::-1], (most - 1) / 2)[::-1]}"


def _head(text: str, most: float) -> str:
    """Return the characters that fit."""
    widths = itertools.accumulate(map(_advance, text))
    return text[: sum(1 for _ in itertools.takewhile(lambda reached: reached <= most, widths))].strip()


def labels(names: Iterable[str], most: float) -> list[str]:
    """Return each name as `shown`, a number added where two would look the same."""
    lines: list[str] = []
    for name in names:
        line, number = shown(name, most), 1
        while (label := line if number == 1 else f"{line} ({number})") in lines:
            number += 1
        lines.append(label)
    return lines


def wrapped(text: str, most: float, lines: int) -> str:
    """Return an untrusted text, drawable, in at most so many lines; what is longer loses its middle.

    Args:
        text: Any text.
        most: The width of a line at most, in multiples of the font size.
        lines: Their number.
    """
    broken: list[str] = []
    rest = shown(text, 0.9 * most * lines)
    while width(rest) > most and len(broken) < lines - 1:
        part = _head(rest, most)
        if rest[len(part)] != " " and " " in part[len(part) // 2 :]:
            part = part[: part.rindex(" ")]
        broken.append(part)
        rest = rest[len(part) :].lstrip()
    return "\n".join([*broken, shown(rest, most)])
