"""What a response's headers say of a gateway: whether a fallback answered, or a cache."""

from __future__ import annotations

from collections.abc import Mapping

_FALLBACKS = ("x-litellm-attempted-fallbacks", "helicone-fallback-index", "cf-aig-step")
"""Headers whose number is 0 where the first model or provider answered: LiteLLM, Helicone, Cloudflare."""

_CACHES = (
    "x-litellm-cache-hit",
    "helicone-cache",
    "cf-aig-cache-status",
    "x-portkey-cache-status",
    "x-cache",
)
"""Headers that say whether a cache answered."""

_HITS = ("hit", "true", "semantic hit")


def is_fallback(headers: Mapping[str, str]) -> bool:
    """Return whether another model or provider than the first answered."""
    values = [headers.get(name, "").strip() for name in _FALLBACKS]
    return any(value.isdecimal() and int(value) > 0 for value in values)


def is_cached(headers: Mapping[str, str]) -> bool:
    """Return whether a cache answered."""
    values = [headers.get(name, "").strip().lower() for name in _CACHES]
    return any(value in _HITS or value.startswith("hit ") for value in values)
