"""AgentWrite: a plan first, then the text paragraph by paragraph (LongWriter, arXiv 2408.07055).

Templates are filled in one pass; a response that lacks a paragraph is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from longbench_write.backends.base import Message
from longbench_write.metrics.length import count_words
from longbench_write.render.template import fill_template
from longbench_write.suites.suite import Prompt
from longbench_write.writers.base import Draft, WriterContext, WriterError
from longbench_write.writers.cards import PlanCard, WriterFolder, configuration
from longbench_write.writers.estimate import ExpectedRequest, tokens_of_text, tokens_of_words
from longbench_write.writers.outline import Section, even_plan, plan_text, read_plan, strip_label

_USUAL = 500
"""Words that planners usually give a paragraph, for an estimate."""


class PlannedWriter:
    """Plans a text and writes it paragraph by paragraph, as its card says.

    Args:
        folder: The writer's.
        planner: Who plans, in place of what the card says: "model", "even" or "suite".

    Attributes:
        name: The folder's name.
        configuration: What would change its responses.
        planner: Who plans: "model", "even" or "suite".

    Raises:
        UsageError: A template is missing.
        AssetError: An official template cannot be had.
    """

    def __init__(self, folder: WriterFolder, card: PlanCard, planner: str | None = None) -> None:
        self.name = folder.name
        self._card = card
        self.planner = planner or card.planner
        used = ["write"] + ["plan"] * (self.planner == "model") + ["review"] * (card.review is not None)
        self._templates = {name: folder.template(name) for name in used}
        self.configuration: dict[str, Any] = configuration(folder, self._templates) | {
            "planner": self.planner
        }

    async def write(self, prompt: Prompt, sample: int, context: WriterContext) -> Draft:
        """Write one response; see `Writer.write`."""
        text, plan = await self._plan(prompt, context)
        if self._card.order == "parallel":
            paragraphs = await asyncio.gather(
                *(self._paragraph(prompt, text, section, [], context) for section in plan)
            )
        else:
            paragraphs = []
            for section in plan:
                paragraphs.append(await self._paragraph(prompt, text, section, paragraphs, context))
        return Draft(
            "\n\n".join(paragraphs), steps=len(plan), planned_words=sum(section.words for section in plan)
        )

    def expected(self, prompt: Prompt) -> Iterator[ExpectedRequest]:
        """Yield about the requests of one response, without reviews, unreadable plans and retries."""
        language, (least, most) = prompt.language, self._card.words
        usual = most if self.planner == "even" else min(most, _USUAL)
        plan = even_plan(
            prompt.length or 1, language, least=least, most=usual, sections=self._card.most_steps
        )
        if self.planner == "suite":
            plan = read_plan(prompt.plan) or plan
        planned = tokens_of_text(plan_text(plan), language)
        if self.planner == "model":
            chat = self._chat("plan", prompt, {})[0]["content"]
            yield ExpectedRequest("planner", tokens_of_text(chat, language), planned)
        asked = tokens_of_text(self._chat("write", prompt, {})[0]["content"], language) + planned
        before = 0.0
        for section in plan:
            words = tokens_of_words(section.words, language)
            kept = tokens_of_words(min(before, self._card.context_words or before), language)
            yield ExpectedRequest("writer", asked + kept, words)
            before += section.words * (self._card.order == "serial")

    async def _plan(self, prompt: Prompt, context: WriterContext) -> tuple[str, list[Section]]:
        """Return the plan as it goes into the requests, and its steps.

        Raises:
            WriterError: There is no plan that can be followed.
        """
        if self.planner == "model":
            return await self._ask_for_plan(prompt, context)
        if self.planner == "suite":
            if not prompt.plan:
                raise WriterError("plan_missing", f"the suite has no plan for {prompt.id}")
            return self._followed(prompt.plan)
        if prompt.length is None:
            raise WriterError("plan_missing", f"{prompt.id} asks for no length that could be shared out")
        least, most = self._card.words
        plan = even_plan(
            prompt.length, prompt.language, least=least, most=most, sections=self._card.most_steps
        )
        return plan_text(plan), plan

    async def _ask_for_plan(self, prompt: Prompt, context: WriterContext) -> tuple[str, list[Section]]:
        least, most = self._card.words
        chat = self._chat("plan", prompt, {"$LEAST$": f"{least}", "$MOST$": f"{most}"})
        sampling = self._card.plan.within(context.sampling)
        for attempt in range(self._card.plan_tries):
            reply = await context.complete("plan", chat, sampling, attempt, role="planner", allow_empty=True)
            try:
                return self._followed(reply.text)
            except WriterError:
                if attempt + 1 == self._card.plan_tries:
                    raise
        raise AssertionError("a card has at least one try")

    def _followed(self, text: str) -> tuple[str, list[Section]]:
        """Read a plan.

        Raises:
            WriterError: It has no step, or too many.
        """
        plan, most = read_plan(text), self._card.most_steps
        if not plan:
            told = "no line of the plan has a paragraph's number and a word count"
            raise WriterError("plan_unreadable", told, step="plan")
        if len(plan) > most:
            raise WriterError("plan_too_long", f"the plan has {len(plan)} steps, at most {most}", step="plan")
        return text.strip(), plan

    async def _paragraph(
        self, prompt: Prompt, plan: str, section: Section, before: Sequence[str], context: WriterContext
    ) -> str:
        """Have one paragraph written and, where the card says so, its length reviewed."""
        values = {"$PLAN$": plan, "$STEP$": section.line}
        first = self._first_kept(before)
        chat = self._chat("write", prompt, values | {"$TEXT$": "\n\n".join(before[first:])})
        ask = partial(
            context.complete,
            sampling=self._card.write.within(context.sampling),
            planned_words=section.words,
            clean=partial(strip_label, section=section),
        )
        left_out = [f"write-{number}" for number in range(1, first + 1)]
        text = (await ask(f"write-{section.number}", chat, left_out=left_out)).text
        words = count_words(text)
        review = self._card.review
        if review is None or abs(words - section.words) <= review * section.words:
            return text
        counts = {"$SECTION$": text, "$WRITTEN$": f"{words}", "$PLANNED$": f"{section.words}"}
        second = (await ask(f"review-{section.number}", self._chat("review", prompt, values | counts))).text
        return min(text, second, key=lambda either: abs(count_words(either) - section.words))

    def _first_kept(self, paragraphs: Sequence[str]) -> int:
        """Return the place of the first paragraph that a step is given; the latest one always is."""
        if self._card.context_words is None:
            return 0
        words, kept = 0, len(paragraphs)
        while kept and (kept == len(paragraphs) or words < self._card.context_words):
            kept -= 1
            words += count_words(paragraphs[kept])
        return kept

    def _chat(self, name: str, prompt: Prompt, values: dict[str, str]) -> list[Message]:
        template = self._templates[name]["zh" if prompt.language == "zh" else "en"]
        return [Message(role="user", content=fill_template(template, {"$INST$": prompt.prompt} | values))]
