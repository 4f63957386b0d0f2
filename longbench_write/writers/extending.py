"""Writing first, then lengthening passage by passage, for models that cannot follow a plan.

The idea is Self-Lengthen's (arXiv 2410.23933), which trains on texts made so; here a text is judged.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from longbench_write.backends.base import Message
from longbench_write.metrics.length import count_words
from longbench_write.render.template import fill_template
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Draft, WriterContext
from longbench_write.writers.cards import ExtendCard, WriterFolder, configuration
from longbench_write.writers.estimate import ExpectedRequest, tokens_of_text, tokens_of_words

_USUAL = 2000
"""Words beyond which models that were not trained for it seldom write in one answer (arXiv 2408.07055)."""


class ExtendingWriter:
    """Asks the model once, and has what is too short lengthened in rounds, as its card says.

    Args:
        folder: The writer's.

    Attributes:
        name: The folder's name.
        configuration: What would change its responses.

    Raises:
        UsageError: A template is missing.
    """

    def __init__(self, folder: WriterFolder, card: ExtendCard) -> None:
        self.name = folder.name
        self._card = card
        self._templates = folder.template("extend")
        self.configuration: dict[str, Any] = configuration(folder, {"extend": self._templates})

    async def write(self, prompt: Prompt, sample: int, context: WriterContext) -> Draft:
        """Write one response; see `Writer.write`."""
        chat = [Message(role="user", content=prompt.prompt)]
        text = (await context.complete("write-1", chat, context.sampling)).text
        for number in range(1, self._card.rounds + 1):
            words = count_words(text)
            if not words or prompt.length is None or words >= self._card.enough * prompt.length:
                break
            growth = min(self._card.most_growth, prompt.length / words)
            longer = await self._lengthen(prompt, text, number, growth, context)
            if count_words(longer) <= words:
                break
            text = longer
        return Draft(text)

    def expected(self, prompt: Prompt) -> Iterator[ExpectedRequest]:
        """Yield about the requests of one response, of a model that writes `_USUAL` words in one of them."""
        language, length = prompt.language, prompt.length or 0
        asked = tokens_of_text(prompt.prompt, language)
        words: float = min(length, _USUAL)
        yield ExpectedRequest("writer", asked, tokens_of_words(words, language))
        for _ in range(self._card.rounds):
            if words >= self._card.enough * length:
                break
            passages = max(1, round(words / self._card.passage_words))
            growth = min(self._card.most_growth, length / words)
            shown, longer = 2 * words / passages, growth * words / passages
            request = ExpectedRequest(
                "writer", asked + tokens_of_words(shown, language), tokens_of_words(longer, language)
            )
            yield from [request] * passages
            words *= growth

    async def _lengthen(
        self, prompt: Prompt, text: str, number: int, growth: float, context: WriterContext
    ) -> str:
        """Have all passages of a text lengthened, each beside the one before it."""
        passages = _passages(text, self._card.passage_words)
        befores = ["", *passages]

        async def lengthen(place: int, passage: str) -> str:
            words = count_words(passage)
            planned = round(words * growth)
            values = {
                "$INST$": prompt.prompt,
                "$BEFORE$": befores[place],
                "$SECTION$": passage,
                "$WRITTEN$": f"{words}",
                "$PLANNED$": f"{planned}",
            }
            template = self._templates["zh" if prompt.language == "zh" else "en"]
            answer = await context.complete(
                f"extend-{number}-{place + 1}",
                [Message(role="user", content=fill_template(template, values))],
                self._card.extend.within(context.sampling),
            )
            return max(passage, answer.text.strip(), key=count_words)

        return "\n\n".join(await asyncio.gather(*(lengthen(*each) for each in enumerate(passages))))


def _passages(text: str, words: int) -> list[str]:
    """Part a text between paragraphs into passages of about so many words; a longer paragraph is one."""
    passages: list[str] = []
    for paragraph in filter(None, map(str.strip, text.split("\n\n"))):
        if passages and count_words(passages[-1]) + count_words(paragraph) <= words:
            passages[-1] += f"\n\n{paragraph}"
        else:
            passages.append(paragraph)
    return passages
