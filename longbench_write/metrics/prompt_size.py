"""How large a prompt was, as records keep it: what shows later whether a server has read all of it."""

from __future__ import annotations

from typing_extensions import TypedDict

from longbench_write.files.schema import Count


class PromptSize(TypedDict):
    """How large a prompt was: its pieces (see `serving.pieces`), and the tokens that the server counted.

    `model` is the name under which the model answered, where that is known.
    """

    latin: Count
    ideographs: Count
    tokens: Count
    cached: Count
    model: str | None


class UnreadPrompt(PromptSize):
    """A prompt that the model of this role did not read whole."""

    role: str
