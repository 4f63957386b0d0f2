"""Whether a model's chat template opens a block of reasoning, which a cut off answer then never closed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from longbench_write.backends.base import Completion
from longbench_write.backends.finish_reasons import is_truncated
from longbench_write.backends.reasoning import closes_unopened, split_reasoning
from longbench_write.metrics.length import count_words
from longbench_write.records import Prediction


@dataclass
class ReasoningOpening:
    """What is known of it: from the prompt, or from an answer that closed a block which it had not opened.

    Attributes:
        known: Whether the template is known to open a block.
    """

    known: bool = False

    def learn(self, completion: Completion) -> None:
        """Take what an answer shows."""
        self.known = self.known or completion.reasoning_opened or closes_unopened(completion.text)


def never_closed(predictions: Iterable[Prediction]) -> Iterator[Prediction]:
    """Correct the responses that were cut off before the end of the reasoning that their template had opened.

    Args:
        predictions: Of a model whose template opens a block.

    Yields:
        Those that are reasoning alone, as such; the rest is as it was.
    """
    for record in predictions:
        if (
            not record.response
            or record.reasoning
            or record.requests
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
