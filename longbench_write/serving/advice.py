"""What helps against a ceiling, for the server that an answer shows itself to come from."""

from __future__ import annotations

import re

_LLAMA_CPP = re.compile(r"b[0-9]{3,6}-[0-9a-f]{7,}")
"""How llama.cpp's server fills `system_fingerprint`: its build and commit."""

_OLLAMA = "this is Ollama: start it with OLLAMA_CONTEXT_LENGTH set, since it ignores a context in the request"
_LLAMACPP = "this is llama.cpp: start llama-server with a larger --ctx-size, which --parallel divides"
_LM_STUDIO = "this is LM Studio: load the model with a larger context length"
_ROUTER = "this comes through a router: its providers differ in what they let through, so name one"
_ANY = "give the server a larger context or output limit, or ask for less with --max-tokens"


def advice(*, model: str, system_fingerprint: str | None, provider: str | None) -> str:
    """Return what helps against a ceiling, in a sentence that also says where more is written.

    Args:
        model: The name under which the model is asked.
        system_fingerprint: The server's own mark, as the answers have it.
        provider: Who ran the answers, where a router says.
    """
    if system_fingerprint == "fp_ollama":
        found = _OLLAMA
    elif system_fingerprint and _LLAMA_CPP.fullmatch(system_fingerprint):
        found = _LLAMACPP
    elif system_fingerprint == model:
        found = _LM_STUDIO
    elif provider:
        found = _ROUTER
    else:
        found = _ANY
    return f"{found} (docs/servers.md, Ceilings)"
