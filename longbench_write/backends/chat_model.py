"""A chat model that runs on this machine: how it is asked, what ends its answers, how it samples by itself.

What stands here is the same whatever engine runs the model, so that two engines ask alike.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from longbench_write.backends.answers import AnswerReader
from longbench_write.backends.base import BackendSpec, Message, Sampling
from longbench_write.backends.model_cards import find_card
from longbench_write.backends.prompts import Prompts, TokenPrompt, choose_format, stop_token_ids
from longbench_write.backends.sampling import in_force, model_sampling
from longbench_write.backends.tokens import Tokenizer
from longbench_write.errors import BackendError, UsageError, shorten

TEMPLATE_FIELDS = ("chat_template_kwargs", "reasoning_effort")
"""Fields of a request that are for the chat template."""


@dataclass(frozen=True, slots=True)
class ChatModel:
    """How a model is asked, and how its answers are read.

    Attributes:
        prompts: Makes its prompts.
        answers: Reads its answers.
        ends: Token ids that its own files say end an answer.
        stop: Token ids that end one beside those.
        defaults: Sampling where a request says nothing.
        notes: What the user should know, a sentence each.
    """

    prompts: Prompts
    answers: AnswerReader
    ends: tuple[int, ...]
    stop: tuple[int, ...]
    defaults: Mapping[str, Any]
    notes: list[str] = field(default_factory=list)

    def about(self) -> dict[str, Any]:
        """Return what run.yaml says of it."""
        return {
            "prompt_format": self.prompts.about(),
            "stop": sorted({*self.ends, *self.stop}),
            "sampling": dict(self.defaults),
        }

    def prompt(self, messages: Sequence[Message], sampling: Sampling) -> TokenPrompt:
        """Make the prompt of a chat.

        Args:
            messages: The chat.
            sampling: The request's; of its fields, those for the chat template count.

        Raises:
            UsageError: The template cannot be filled.
        """
        return self.prompts.make(messages, template_options(sampling))


def template_options(sampling: Sampling) -> dict[str, Any]:
    """Return the variables that a request has for the chat template."""
    options = dict(sampling.extra.get("chat_template_kwargs") or {})
    if effort := sampling.reasoning_effort or sampling.extra.get("reasoning_effort"):
        options["reasoning_effort"] = effort
    return options


def same_model(one: BackendSpec, other: BackendSpec) -> bool:
    """Return whether one engine can answer both: model, adapter, arguments and prompt format agree."""
    names = ("model", "adapter", "engine_args", "prompt_format")
    return all(getattr(one, name) == getattr(other, name) for name in names)


def room(prompt: TokenPrompt, context: int) -> int:
    """Return how many new tokens a context leaves behind a prompt.

    Args:
        prompt: The prompt.
        context: Tokens of prompt and answer together.

    Raises:
        BackendError: None is left.
    """
    left = context - len(prompt.ids)
    if left < 1:
        raise BackendError(
            "context_length",
            f"the prompt has {len(prompt.ids)} tokens and the context {context} (--max-model-len)",
        )
    return left


def sampling_fields(sampling: Sampling, defaults: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sampling of a request, every field set, without the fields for the chat template."""
    values = in_force(sampling, defaults)
    return {name: value for name, value in values.items() if name not in TEMPLATE_FIELDS}


def chat_model(
    spec: BackendSpec,
    load_tokenizer: Callable[[], Tokenizer],
    generation: Mapping[str, Any],
    *,
    model_type: str | None = None,
) -> ChatModel:
    """Make a prompt and look for what would spoil the answers, before the weights are read.

    Args:
        spec: What opens the model.
        load_tokenizer: Loads its tokenizer.
        generation: Its generation config.
        model_type: Its architecture, as its config names it.

    Raises:
        UsageError: Its tokenizer or its chat template cannot be used.
    """
    card = find_card(spec.model)
    try:
        tokenizer = load_tokenizer()
        prompts = Prompts(tokenizer, choose_format(spec.prompt_format, card), spec.day)
        prompts.make([Message(role="user", content="?")])
        stop = stop_token_ids(tokenizer, card.stop) if card else []
    except UsageError as error:
        raise UsageError(f"{spec.model}: {error}") from None
    except Exception as error:  # code from the model's repository may raise anything
        raise UsageError(
            f"the tokenizer of {spec.model} fails ({type(error).__name__}: {shorten(str(error))}): it may"
            " have been written for another release of transformers; give a folder with one that works with"
            " --engine-arg tokenizer=FOLDER"
        ) from error
    notes = []
    if card is None and model_type == "chatglm":
        notes.append(
            f"{spec.model} is of the family of LongWriter-glm4-9b, but no card applies to it: if it is that"
            " model, give its folder that name, else its answers are asked for with its chat template"
        )
    ends = _ends(tokenizer, generation)
    if (last := prompts.end_of_turn) is not None and prompts.control[last] not in {*ends, *stop}:
        stop.append(prompts.control[last])
        notes.append(
            f"the chat template of {spec.model} ends an answer with {last}, which its generation config does"
            " not name: answers are ended there too"
        )
    if prompts.day:
        notes.append(
            f"the chat template of {spec.model} shows the date: {prompts.day}, for the whole run (--date)"
        )
    answers = AnswerReader(tokenizer, prompts.control, {*ends, *stop})
    defaults = model_sampling(generation, card.sampling if card else {})
    return ChatModel(prompts, answers, tuple(ends), tuple(stop), defaults, notes)


def _ends(tokenizer: Tokenizer, generation: Mapping[str, Any]) -> list[int]:
    """Return the token ids at which the model's own files end an answer."""
    named = generation.get("eos_token_id")
    ids = [*(named if isinstance(named, list) else [named]), getattr(tokenizer, "eos_token_id", None)]
    return [number for number in ids if isinstance(number, int)]


def cut_note(spec: BackendSpec, context: int) -> list[str]:
    """Return the note that the context is shorter than what was asked for, where it is."""
    if context >= spec.max_tokens:
        return []
    return [
        f"the context of {spec.model} is {context} tokens, fewer than --max-tokens {spec.max_tokens}:"
        " answers are cut there"
    ]
