"""Hashes of what a model is asked, by which two runs tell whether they asked the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from longbench_write.backends.base import Message


def canonical_sha256(value: Any) -> str:
    """Hash a plain value as canonical JSON: ASCII, keys sorted, without spaces."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def chat_sha256(messages: Sequence[Message]) -> str:
    """Hash a chat as it is sent to a server, which makes the prompt of it itself."""
    return canonical_sha256(list(messages))


def tokens_sha256(tokens: Iterable[int]) -> str:
    """Hash a prompt's token ids: decimal, joined by commas."""
    return hashlib.sha256(",".join(map(str, tokens)).encode()).hexdigest()
