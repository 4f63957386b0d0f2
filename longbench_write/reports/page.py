"""The page's text: markup from the template, styles and scripts inline, and data that cannot break out."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Sequence
from importlib import resources
from itertools import islice
from typing import Any

from longbench_write._version import __version__
from longbench_write.compare.ranking import Ranking
from longbench_write.files.jsonl import json_text
from longbench_write.leaderboards.formats import spans
from longbench_write.render.html import escape_script_data, render_html
from longbench_write.reports.samples import Index, well_formed
from longbench_write.reports.sections import section

SCRIPTS = ("data", "dom", "texts", "address", "rows", "sample", "list", "filters", "keys", "main")
"""In the order in which they stand on the page; each may use what stands before it."""
STYLES = ("base", "table", "sample", "print")


def page(rankings: Sequence[Ranking], index: Index) -> bytes:
    """Return all of the page but the texts, which follow it: a page may end without its end tags.

    Args:
        rankings: The runs, in order and with what they may be compared with.
        index: Of the same runs in the same order, filled.
    """
    from markupsafe import Markup

    style, script = _style(), _script()
    names = iter(index.names)
    text = render_html(
        "longbench_write.reports",
        "page.html",
        version=__version__,
        index=index,
        spans=spans,
        sections=[section(ranking, list(islice(names, len(ranking.runs)))) for ranking in rankings],
        style=Markup(style),  # noqa: S704
        script=Markup(script),  # noqa: S704
        style_hash=_csp_hash(style),
        script_hash=_csp_hash(script),
        data=Markup(escape_script_data(index.to_json())),  # noqa: S704
    )
    return well_formed(text).encode()


def _style() -> str:
    return "\n".join(_source(f"style/{name}.css") for name in STYLES)


def _script() -> str:
    """Return the scripts as one that leaves nothing in the page's global scope."""
    parts = "\n".join(_source(f"script/{name}.js") for name in SCRIPTS)
    return f'(() => {{\n"use strict";\n{parts}}})();'


def _source(name: str) -> str:
    return resources.files("longbench_write.reports").joinpath(name).read_text(encoding="utf-8")


def _csp_hash(source: str) -> str:
    """Return what a Content-Security-Policy calls an inline style or script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()}'"


def packed(number: int, texts: dict[str, Any]) -> bytes:
    """Return a sample's texts: JSON, zlib, base64, in an element that runs nothing."""
    data = base64.b64encode(zlib.compress(json_text(texts, compact=True).encode()))
    return b'<script type="text/plain" id="texts-%d">%b</script>\n' % (number, data)
