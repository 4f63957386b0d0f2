"""Why a figure misses its target, and what was tried; by the target's name."""

from __future__ import annotations

from collections.abc import Mapping

REASONS: Mapping[str, str] = {}
