"""The text of an answer, read from its token ids: control tokens end it, enclose thoughts, or go."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence

from longbench_write.backends.control_tokens import TURN_ENDS
from longbench_write.backends.tokens import Tokenizer

_ENDS = frozenset({*TURN_ENDS, "</s>", "<eos>", "[EOS]"})
"""Control tokens that end an answer, whether or not a model's files name them as its ends."""

_THOUGHT = re.compile(r"think|thought|reasoning|channel", re.IGNORECASE)
"""In the names of control tokens that enclose thoughts, which are split off later, by their text."""

_HARMONY = "<|channel|>"


class AnswerReader:
    """Reads answers of one model.

    Args:
        tokenizer: The model's.
        control: Its control tokens, by their text.
        stop: Token ids that the engine ends an answer at.
    """

    def __init__(self, tokenizer: Tokenizer, control: Mapping[str, int], stop: Collection[int]) -> None:
        self._tokenizer = tokenizer
        self._control = frozenset(control.values())
        self._stop = frozenset(stop)
        self._ends = frozenset(stop) | {number for text, number in control.items() if text in _ENDS}
        self._kept = {number for text, number in control.items() if _THOUGHT.search(text)}
        self._harmony = control.get(_HARMONY)

    def read(
        self, ids: Sequence[int], text: str | None = None, *, bare: bool = True
    ) -> tuple[str, str | None]:
        """Read an answer up to its end of turn.

        Args:
            ids: The answer's token ids.
            text: The same as the engine made it, with control tokens as text; None has it made here.
            bare: Whether control tokens go, other than those around thoughts.

        Returns:
            The answer, and all of the text where an end of turn stands in it that the engine did not stop at.
        """
        if ids and ids[-1] in self._stop:
            ids = ids[:-1]  # the engine has left it out of the text
        if text is None:
            text = self._decode(ids)
        if self._control.isdisjoint(ids):
            return text, None
        # In harmony's channels, an end stands behind each of several messages.
        several = self._harmony is not None and ids[0] == self._harmony
        kept: list[int] = []
        raw = None
        for number in ids:
            if number in self._ends and not several:
                raw = text
                break
            if not bare or number not in self._control or number in self._kept or several:
                kept.append(number)
        return self._decode(kept), raw

    def _decode(self, ids: Sequence[int]) -> str:
        """Return a text as the model wrote it: no space is taken away before punctuation."""
        return self._tokenizer.decode(ids, skip_special_tokens=False, clean_up_tokenization_spaces=False)
