"""Hashes of what was asked: their definition is part of the run folder's format."""

from __future__ import annotations

import hashlib
import json

from servers.openai_server import OpenAIServer, writer

from longbench_write.backends.base import BackendSpec, Sampling
from longbench_write.backends.hashes import chat_sha256, tokens_sha256
from longbench_write.backends.openai.backend import OpenAIBackend


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()


def test_token_ids_are_hashed_in_decimal_joined_by_commas():
    assert tokens_sha256([1, 22, 333]) == sha256("1,22,333")
    assert tokens_sha256([]) == sha256("")


def test_a_chat_is_hashed_as_canonical_json():
    chat = [{"role": "user", "content": "Schreib 一."}]
    expected = sha256('[{"content":"Schreib \\u4e00.","role":"user"}]')
    assert chat_sha256(chat) == chat_sha256([dict(reversed(chat[0].items()))]) == expected
    assert chat_sha256([*chat, *chat]) != expected


async def test_a_server_is_asked_what_the_hash_says():
    with OpenAIServer(writer(5)) as server:
        async with OpenAIBackend(BackendSpec("openai", "m", base_urls=(server.base_url,))) as backend:
            messages = [{"role": "user", "content": "half of a pair: \ud83e."}]
            completion = await backend.complete(messages, Sampling(64))
        (request,) = server.requests
    sent = json.dumps(request.body["messages"], sort_keys=True, separators=(",", ":"))
    assert completion.prompt_sha256 == sha256(sent)
