"""Untrusted text in HTML pages."""

from __future__ import annotations

from typing import Any

from longbench_write.files.jsonl import json_text

_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def render_html(package: str, template: str, **values: Any) -> str:
    """Fill in an HTML template, every text in it escaped; only what is `markupsafe.Markup` stays markup.

    Args:
        package: The package in whose folder the template lies.
        template: The template's file name.
        values: What it names; a name without a value is an error.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)


def escape_script_data(value: Any) -> str:
    """Return JSON for a script element: no text in it can end the element, and all of it is valid Unicode."""
    return json_text(value, compact=True).translate(_ESCAPES)
