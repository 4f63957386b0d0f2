"""Whether a model's chat template opens a block of reasoning, which a cut off answer then never closed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace

from longbench_write.backends.base import Completion
from longbench_write.backends.finish_reasons import is_truncated
from longbench_write.backends.reasoning import closes_unopened, split_reasoning
from longbench_write.metrics.length import count_words
from longbench_write.records import Key, Prediction


@dataclass
class ReasoningOpening:
    """What is known of it where prompts are not: an answer that closes what it has not opened shows it.

    Attributes:
        known: Whether the template is known to open a block.
        decided: Responses whose answer came when that was known, or with a prompt whose end was.
    """

    known: bool = False
    decided: set[Key] = field(default_factory=set)

    def opens(self, completion: Completion, key: Key) -> bool:
        """Return whether an answer begins inside a block of reasoning, as far as is known now.

        Args:
            completion: The answer, from which this learns.
            key: The response that it belongs to.
        """
        if completion.reasoning_opened is None:
            self.known = self.known or closes_unopened(completion.text)
            opened = self.known and not completion.reasoning  # which a server has parted from the text itself
        else:
            opened = completion.reasoning_opened
        if self.known or completion.reasoning_opened is not None:
            self.decided.add(key)
        return opened


def never_closed(predictions: Iterable[Prediction], decided: Collection[Key]) -> Iterator[Prediction]:
    """Correct the responses that were cut off before the end of the reasoning that their template had opened.

    Args:
        predictions: Of a model whose template opens a block.
        decided: Those that are as they should be.

    Yields:
        Those that are reasoning alone, as such; the rest is as it was.
    """
    for record in predictions:
        if (
            not record.response
            or record.reasoning
            or record.requests
            or record.key in decided
            or not is_truncated(record.finish_reason)
        ):
            continue
        response, reasoning = split_reasoning(record.response, truncated=True, opened=True)
        if not response:
            yield replace(
                record,
                response="",
                response_length=0,
                response_length_unicode=0,
                reasoning=reasoning,
                reasoning_words=count_words(reasoning),
            )
