"""The judge: a card and a template turn a response into six scores; an invalid reply is retried.

A judge's failure is never a score. It is a reason in the record, with the last reply as it came.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from longbench_write.assets.assets import text as asset_text
from longbench_write.backends.base import (
    Backend,
    BackendSpec,
    Completion,
    Message,
    Sampling,
    Usage,
    derived_seed,
    only,
)
from longbench_write.backends.finish_reasons import is_truncated
from longbench_write.backends.registry import BACKENDS
from longbench_write.backends.unread import UnreadPromptError
from longbench_write.errors import CONTEXT_LENGTH, BackendError, ErrorAction
from longbench_write.judging.cards import (
    CARD,
    OFFICIAL,
    JudgeCard,
    judge_names,
    load_card,
    make_card,
)
from longbench_write.judging.chapters import PARTS, placed, split
from longbench_write.judging.places import check_secrets, is_trusted, other_place
from longbench_write.judging.reply import TRUNCATED_REPLY, is_json, read_reply
from longbench_write.judging.template import fill, read_template
from longbench_write.metrics.chapters import Chapter, over_chapters
from longbench_write.metrics.length import count_words_unicode
from longbench_write.metrics.quality import DIMENSIONS, SIX
from longbench_write.records import Failure, Judgement

_CARD_KEYS = {
    "--seed none": "`seed: false`",
    "--temperature default": "`temperature: null`",
    "--max-tokens-field": "`max_tokens_field: NAME`",
    "--extra-body": "`extra_body`",
    "--gen": "`gen`",
}
"""What a judge's card has in place of the options of the model under test."""


@dataclass
class _Asked:
    """What came of asking about one text: every reply, and what the last one says."""

    scores: dict[str, int] | None = None
    analysis: str = ""
    error: Failure | None = None
    tries: int = 0
    retries: int = 0
    replies: list[Completion] = field(default_factory=list)

    def take(self, part: _Asked) -> None:
        """Add what came of a part; the scores of parts are combined elsewhere."""
        self.analysis = "\n\n".join(text for text in (self.analysis, part.analysis) if text)
        self.error = part.error
        self.tries += part.tries
        self.retries += part.retries
        self.replies = [*self.replies, *part.replies]


@dataclass(frozen=True)
class Judge:
    """A judge that is ready to be asked.

    Attributes:
        card: How it is asked, overrides included.
        label: Its folder's name, with the model where another than the card's own is asked.
        template: The text around the prompt and the response.
        seed: The run's seed; only a judge whose card wants seeds depends on it.
        in_chapters: Whether a response that does not fit the context is judged in parts that do.
    """

    card: JudgeCard
    label: str
    template: str = field(repr=False)
    seed: int = 42
    in_chapters: bool = False

    @classmethod
    def load(
        cls,
        name_or_path: str,
        *,
        model: str | None = None,
        backend: str | None = None,
        base_urls: Sequence[str] = (),
        api_key_env: str | None = None,
        headers: Mapping[str, str] | None = None,
        repeats: int | None = None,
        seed: int = 42,
        in_chapters: bool = False,
    ) -> Judge:
        """Make the judge of a name or a folder.

        Args:
            name_or_path: A name from `judge_names`, or the path of a judge's folder.
            model: Asked instead of the card's; `local/...` runs on this machine.
            backend: Where it runs, instead of where the card says; on vLLM the six integers are forced.
            base_urls: Asked instead of the card's servers; the card's key is not sent there.
            api_key_env: Name of the variable that contains the key, instead of the card's.
            headers: More headers of each request, each with the variable of its value, over the card's.
            repeats: Judgements of each response, instead of the card's.
            seed: The run's seed.
            in_chapters: Whether a response that does not fit the context is judged in parts that do.

        Raises:
            UsageError: There is no such judge, or it cannot be as its card or the overrides say.
            AssetError: The official template could not be had.
        """
        card, folder = load_card(name_or_path)
        changes: dict[str, Any] = {}
        if model not in (None, card.model):
            changes = {"model": model, "revision": None, "retires": None, "note": ""}
        changes |= other_place(card, model, backend, base_urls, api_key_env)
        if BACKENDS.get(changes["backend"]).takes_base_urls and not is_trusted(folder):
            check_secrets(card, folder, base_urls, api_key_env, headers or {})
        if headers:
            changes["headers"] = card.headers | dict(headers)
        if repeats is not None:
            changes["repeats"] = repeats
        label = f"{folder.name} ({model})" if model not in (None, card.model) else folder.name
        if card.template == OFFICIAL:
            template = asset_text("judge-template")
        else:
            template = read_template(folder / card.template)
        fill(template, prompt="", response="")
        return cls(
            make_card(card.model_dump() | changes, f"judge {label}"), label, template, seed, in_chapters
        )

    @property
    def template_sha256(self) -> str:
        """The hash of the template's text in UTF-8."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    @property
    def config_sha256(self) -> str:
        """The hash of everything that makes scores comparable; servers, keys and seeds are not part of it."""
        names = (
            "model",
            "revision",
            "temperature",
            "max_tokens",
            "reasoning_effort",
            "tries",
            "reply_format",
        )
        config = {name: getattr(self.card, name) for name in (*names, "analysis_max_chars", "combine")}
        config["template"] = self.template_sha256
        for name in (
            "gen",
            "system",
            "extra_body",
        ):  # a card that says nothing has the hash that it had before
            if value := getattr(self.card, name):
                config[name] = value
        return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a valid reply: the analysis first, then the six integers."""
        analysis: dict[str, Any] = {"type": "string"}
        if self.card.analysis_max_chars is not None:
            analysis["maxLength"] = self.card.analysis_max_chars
        scores = {name: {"type": "integer", "enum": list(SIX.scale)} for name in DIMENSIONS}
        return {
            "type": "object",
            "properties": {"Analysis": analysis} | scores,
            "required": ["Analysis", *DIMENSIONS],
            "additionalProperties": False,
        }

    def spec(self, concurrency: int | None = None) -> BackendSpec:
        """Return what opens its backend.

        Args:
            concurrency: Judgements in the making at once; the card's own number if None.
        """
        return BackendSpec(
            kind=self.card.backend,
            model=self.card.model,
            base_urls=self.card.base_urls,
            api_key_env=self.card.api_key_env,
            concurrency=concurrency or self.card.concurrency,
            max_tokens=self.card.max_tokens,
            max_completion_tokens=self.card.max_completion_tokens,
            max_tokens_field=self.card.max_tokens_field,
            extra_body=self.card.extra_body,
            headers=self.card.headers,
        )

    def explain_error(self, message: str, kind: str = "") -> str:
        """Return an error's text as this judge's, naming the judge's own options.

        Args:
            message: The text.
            kind: The `BackendError.kind`; a model that is not there gets the alternatives named.
        """
        fix = re.sub("--(api-key-env|base-url|header)", r"--judge-\1", message)
        for option, key in _CARD_KEYS.items():
            fix = fix.replace(option, f"{key} in a {CARD} of your own")
        if kind == "not_found":
            others = ", ".join(name for name in judge_names() if name != self.label)
            fix += f"; name another model with --judge-model, or another judge: {others}"
        return f"judge {self.label}: {fix}"

    async def judge(
        self,
        backend: Backend,
        *,
        id: str,  # noqa: A002
        sample: int,
        prompt: str,
        response: str,
        repeat: int = 0,
    ) -> Judgement:
        """Have one response judged.

        Args:
            backend: The judge's model, opened from `spec`.
            id: The prompt's id.
            sample: The response's sample number.
            prompt: What the response answers.
            response: The response, without its reasoning.
            repeat: Number of this judgement of the same response, from 0.

        Returns:
            Six scores; or an error, and no score, where every try's reply was invalid or a request failed.

        Raises:
            BackendError: No request of this run can succeed.
        """
        place = (id, sample, repeat)
        asked = await self._ask(backend, prompt, response, *place)
        chapters: list[Chapter] | None = None
        if self.in_chapters and asked.error and asked.error.type == CONTEXT_LENGTH:
            asked, chapters = await self._ask_in_chapters(backend, prompt, response, asked, *place)
        replies = asked.replies
        return Judgement(
            id=id,
            sample=sample,
            judge=self.label,
            repeat=repeat,
            scores=asked.scores,
            analysis=asked.analysis,
            raw=_said(replies[-1])[0] if replies else "",
            reply_field=_said(replies[-1])[1] if replies else None,
            error=asked.error,
            usage=_total([reply.usage for reply in replies]),
            seconds=sum(reply.seconds for reply in replies) if replies else None,
            tries=asked.tries,
            chapters=chapters,
            retries=asked.retries,
            rubric=SIX.name,
            response_sha256=hashlib.sha256(response.encode("utf-8", "surrogatepass")).hexdigest(),
            model_served=only(reply.model_served for reply in replies),
            system_fingerprint=only(reply.system_fingerprint for reply in replies),
            prompt_size=replies[0].prompt_size if replies else None,
            finish_reason=replies[-1].finish_reason if replies else None,
            max_tokens_effective=replies[-1].max_tokens if replies else None,
        )

    async def _ask(self, backend: Backend, prompt: str, response: str, *place: str | int) -> _Asked:
        """Ask until a reply is valid, or the tries are used up.

        Args:
            backend: The judge's model.
            prompt: What the response answers.
            response: What is to be judged.
            place: Sets these requests apart from all others: prompt id, sample, repeat, ...
        """
        messages = [Message(role="user", content=fill(self.template, prompt=prompt, response=response))]
        if self.card.system:
            messages.insert(0, Message(role="system", content=self.card.system))
        asked = _Asked()
        while asked.scores is None and asked.tries < self.card.tries:
            asked.tries += 1
            try:
                completion = await backend.complete(messages, self._sampling(*place, asked.tries))
            except BackendError as fault:
                if fault.action is ErrorAction.STOP:
                    raise
                asked.retries += fault.attempts - 1
                if isinstance(fault, UnreadPromptError):  # paid for, and no reply to what was asked
                    asked.replies.append(fault.completion)
                asked.error = Failure(fault.kind, str(fault), final=fault.action is ErrorAction.GIVE_UP)
                break
            asked.retries += completion.attempts - 1
            asked.replies.append(completion)
            asked.scores, asked.analysis, asked.error = _outcome(completion, response, self.card.max_tokens)
            if asked.error and asked.error.type == CONTEXT_LENGTH:
                break
        return asked

    async def _ask_in_chapters(
        self, backend: Backend, prompt: str, response: str, whole: _Asked, *place: str | int
    ) -> tuple[_Asked, list[Chapter] | None]:
        """Ask about consecutive parts that fit; without a valid reply to each there are no scores."""
        for count in PARTS:
            parts = split(response, count)
            whole = _Asked(tries=whole.tries, retries=whole.retries, replies=whole.replies)
            chapters: list[Chapter] = []
            for number, part in enumerate(parts, 1):
                asked = await self._ask(
                    backend, prompt, placed(part, number, len(parts)), *place, count, number
                )
                whole.take(asked)
                if asked.scores is None:
                    break
                words = count_words_unicode(part)  # the official count knows neither kana nor Hangul
                chapters.append(Chapter(words=words, scores=asked.scores, analysis=asked.analysis))
            if len(chapters) == len(parts):
                means = over_chapters(chapters)
                whole.scores = {name: int(means[name] + 0.5) for name in DIMENSIONS}
                return whole, chapters
            if whole.error and whole.error.type != CONTEXT_LENGTH:
                return whole, None
        return whole, []

    def _sampling(self, *identity: str | int) -> Sampling:
        """Return how one try is sampled.

        Args:
            identity: Prompt id, sample, repeat, and the try's number from 1.
        """
        card = self.card
        return Sampling(
            max_tokens=card.max_tokens,
            temperature=card.temperature,
            seed=derived_seed(self.seed, *identity) if card.seed else None,
            json_schema=self.schema if card.reply_format == "json_schema" else None,
            json_object=card.reply_format == "json_object",
            reasoning_effort=card.reasoning_effort,
            extra=card.gen,
        )


def _said(completion: Completion) -> tuple[str, str | None]:
    """Return a reply as it came, and the field in which it did where that is not the content."""
    if completion.text.strip() or not completion.reasoning:
        return completion.text, None
    return completion.reasoning, "reasoning"


def _outcome(
    completion: Completion, response: str, most: int
) -> tuple[dict[str, int] | None, str, Failure | None]:
    """Return scores, analysis, and the failure if there are no scores.

    Args:
        completion: The reply.
        response: What was judged.
        most: Tokens that the reply could have.
    """
    said, field_of = _said(completion)
    cut = is_truncated(completion.finish_reason)
    if field_of and (cut or not is_json(said)):
        said = completion.text
    reply = read_reply(said, response=response)
    if reply.scores is not None:
        return reply.scores, reply.analysis, None
    if not cut:
        return None, reply.analysis, Failure(reply.kind, reply.reason, final=True)
    tokens = completion.usage.completion_tokens
    if tokens is not None and tokens < most - 1:  # some servers count one less than was asked for
        reason = f"the judge's context ended its reply after {tokens} of {most} tokens: {reply.reason}"
        return None, reply.analysis, Failure(CONTEXT_LENGTH, reason, final=True)
    reason = f"truncated: the limit of tokens ended the reply; {reply.reason}"
    return None, reply.analysis, Failure(TRUNCATED_REPLY, reason, final=True)


def _total(usages: Sequence[Usage]) -> dict[str, int | None] | None:
    """Sum over the tries; a kind of token that no reply counted stays None."""
    if not usages:
        return None
    counts = {part.name: [getattr(usage, part.name) for usage in usages] for part in fields(Usage)}
    known = {name: [count for count in each if count is not None] for name, each in counts.items()}
    return {name: sum(each) if each else None for name, each in known.items()}
