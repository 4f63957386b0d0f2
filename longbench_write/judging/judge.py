"""The judge: a card and a template turn a response into six scores; an invalid reply is asked for again.

A judge's failure is never a score. It is a reason in the record, with the last reply as it came.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from longbench_write.assets import text as asset_text
from longbench_write.backends.base import (
    Backend,
    BackendSpec,
    Completion,
    Message,
    Sampling,
    Usage,
    derived_seed,
)
from longbench_write.errors import BackendError, UsageError, Verdict
from longbench_write.judging.cards import OFFICIAL, JudgeCard, load_card, make_card
from longbench_write.judging.reply import read_reply
from longbench_write.judging.template import fill
from longbench_write.records import DIMENSIONS, Failure, Judgement

INVALID_REPLY = "invalid_reply"
"""The `Failure.type` of a judge that answered, but never with six scores."""


@dataclass(frozen=True)
class Judge:
    """A judge that is ready to be asked.

    Attributes:
        card: How it is asked, overrides included.
        label: Its folder's name, with the model where another than the card's own is asked.
        template: The text around the prompt and the response.
        seed: The run's seed; only a judge whose card wants seeds depends on it.
    """

    card: JudgeCard
    label: str
    template: str = field(repr=False)
    seed: int = 42

    @classmethod
    def load(
        cls,
        name_or_path: str,
        *,
        model: str | None = None,
        base_urls: Sequence[str] = (),
        api_key_env: str | None = None,
        seed: int = 42,
    ) -> Judge:
        """Make the judge of a name or a folder.

        Args:
            name_or_path: A name from `judge_names`, or the path of a judge's folder.
            model: Asked instead of the card's; `local/...` runs on this machine.
            base_urls: Asked instead of the card's servers; the card's key is not sent there.
            api_key_env: Name of the variable that holds the key, instead of the card's.
            seed: The run's seed.

        Raises:
            UsageError: There is no such judge, or it cannot be as its card or the overrides say.
            AssetError: The official template could not be had.
        """
        card, folder = load_card(name_or_path)
        changes: dict[str, Any] = {}
        if model not in (None, card.model):
            changes = {"model": model, "retires": None, "note": ""}
        if base_urls:
            changes |= {"backend": "openai", "base_urls": tuple(base_urls), "api_key_env": api_key_env}
        elif card.backend == "openai" and model is not None and model.startswith("local/"):
            changes |= {"backend": "local", "base_urls": (), "api_key_env": None}
        elif api_key_env is not None:
            changes["api_key_env"] = api_key_env
        label = f"{folder.name} ({model})" if model not in (None, card.model) else folder.name
        if card.template == OFFICIAL:
            template = asset_text("judge-template")
        else:
            template = _read(folder / card.template)
        fill(template, prompt="", response="")
        return cls(make_card(card.model_dump() | changes, f"judge {label}"), label, template, seed)

    @property
    def template_sha256(self) -> str:
        """The hash of the template's text in UTF-8."""
        return hashlib.sha256(self.template.encode()).hexdigest()

    @property
    def config_sha256(self) -> str:
        """The hash of everything that makes scores comparable; servers, keys and seeds are not part of it."""
        names = ("model", "temperature", "max_tokens", "reasoning_effort", "tries", "reply_format")
        config = {name: getattr(self.card, name) for name in (*names, "analysis_max_chars")}
        config["template"] = self.template_sha256
        return hashlib.sha256(json.dumps(config, sort_keys=True).encode()).hexdigest()

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of a valid reply: the analysis first, then the six integers."""
        analysis: dict[str, Any] = {"type": "string"}
        if self.card.analysis_max_chars is not None:
            analysis["maxLength"] = self.card.analysis_max_chars
        scores = {name: {"type": "integer", "enum": [1, 2, 3, 4, 5]} for name in DIMENSIONS}
        return {
            "type": "object",
            "properties": {"Analysis": analysis} | scores,
            "required": ["Analysis", *DIMENSIONS],
            "additionalProperties": False,
        }

    def spec(self, concurrency: int | None = None) -> BackendSpec:
        """What opens its backend.

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
        )

    def blamed(self, message: str) -> str:
        """An error's text as this judge's, with the options that mend it called by the judge's names."""
        mend = re.sub("--(api-key-env|base-url)", r"--judge-\1", message)
        return f"judge {self.label}: {mend}"

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
        messages = [Message(role="user", content=fill(self.template, prompt=prompt, response=response))]
        replies: list[Completion] = []
        scores: dict[str, int] | None = None
        error: Failure | None = None
        analysis = ""
        number = 0
        while scores is None and number < self.card.tries:
            number += 1
            try:
                completion = await backend.complete(messages, self._sampling(id, sample, repeat, number))
            except BackendError as fault:
                if fault.verdict is Verdict.STOP:
                    raise
                error = Failure(fault.kind, str(fault), final=fault.verdict is Verdict.GIVE_UP)
                break
            replies.append(completion)
            scores, analysis, error = _outcome(completion)
        return Judgement(
            id=id,
            sample=sample,
            judge=self.label,
            repeat=repeat,
            scores=scores,
            analysis=analysis,
            raw=replies[-1].text if replies else "",
            error=error,
            usage=_total([reply.usage for reply in replies]),
            seconds=sum(reply.seconds for reply in replies) if replies else None,
            tries=number,
        )

    def _sampling(self, *identity: str | int) -> Sampling:
        """How one try is sampled.

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
        )


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the judge's template {path} cannot be read: {error}") from None


def _outcome(completion: Completion) -> tuple[dict[str, int] | None, str, Failure | None]:
    """Scores, analysis, and the failure if there are no scores."""
    reply = read_reply(completion.text)
    if reply.scores is not None:
        return reply.scores, reply.analysis, None
    cut = "truncated: the limit of tokens ended the reply; " if completion.finish_reason == "length" else ""
    return None, reply.analysis, Failure(INVALID_REPLY, cut + reply.reason, final=True)


def _total(usages: Sequence[Usage]) -> dict[str, int | None] | None:
    """The sum over the tries; a kind of token that no reply counted stays None."""
    if not usages:
        return None
    counts = {part.name: [getattr(usage, part.name) for usage in usages] for part in fields(Usage)}
    known = {name: [count for count in each if count is not None] for name, each in counts.items()}
    return {name: sum(each) if each else None for name, each in known.items()}
