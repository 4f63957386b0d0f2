"""vLLM's reasoning parsers, for models whose thoughts stand in marks that only their family has.

`<think>` blocks, the tags of `backends/reasoning.py` and harmony's channels need none. Of the other families,
`FAMILIES` names the parser; the engine argument that vLLM's server has for it (`reasoning_parser`) names any.
Most take a text without any mark for thoughts that were cut off, which it is not where the model did not
think: those are chosen for no family whose models may not think.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from longbench_write.errors import UsageError, shorten, unknown_name

FAMILIES: Mapping[str, str] = {
    **dict.fromkeys(("granite", "granitemoe", "granitemoehybrid"), "granite"),
    **dict.fromkeys(("hunyuan_v1_dense", "hunyuan_v1_moe"), "hunyuan_a13b"),
    "hy_v3": "hy_v3",
    "hy_v4": "hy_v4",
    "kimi_k3": "kimi_k3",
    **dict.fromkeys(("minimax_m3", "minimax_m3_vl"), "minimax_m3"),
    "muse_glimmer": "muse_glimmer",
}
"""vLLM's parsers of families whose marks no other has, by the `model_type` of a model's config.

They leave a text without marks to the response, except where the prompt, or the model's switch for reasoning,
says that it thinks.
"""

_THINK = ("<think>", "</think>")


class FamilyParser:
    """Parts the answers of one model.

    Args:
        name: What vLLM calls it.
        kind: A subclass of vLLM's ReasoningParser.
        tokenizer: The model's.
        control: Its control tokens, by their text.
        in_engine: Whether the engine has it too, so that a format begins where the reasoning has ended.

    Attributes:
        name: The same.
        in_engine: The same.
    """

    def __init__(
        self, name: str, kind: Any, tokenizer: Any, control: Mapping[str, int], *, in_engine: bool
    ) -> None:
        self.name = name
        self.in_engine = in_engine
        self._kind = kind
        self._tokenizer = tokenizer
        self._control = control

    def part(
        self, text: str, ids: Collection[int], prompt: Sequence[int], options: Mapping[str, Any]
    ) -> tuple[str, str]:
        """Part an answer.

        Args:
            text: The answer, with its control tokens.
            ids: Its token ids.
            prompt: The prompt's token ids: where reasoning has ended there, the answer has none.
            options: Variables of the chat template, such as a switch for reasoning.

        Returns:
            Response and reasoning, without control tokens; a block of `<think>` that the parser leaves at the
            beginning of the response keeps its tags.
        """
        parser = self._parser(options)
        thought: str | None = None
        response: str | None = text
        if not parser.is_reasoning_end(list(prompt)):
            thought, response = _extracted(parser, text, options)
        # A parser whose switch is off takes all for the response. Where the model thinks all the same, its
        # marks stay, by which its thoughts are parted as those of any other model.
        kept = _THINK if thought is None and (response or "").lstrip().startswith(_THINK[0]) else ()
        there = [
            re.escape(name) for name, number in self._control.items() if number in ids and name not in kept
        ]
        left = re.compile("|".join(there) or r"(?!)")
        return left.sub("", response or "").lstrip(), left.sub("", thought or "").strip()

    def check(self) -> None:
        """Try it, so that what it lacks in this tokenizer is known before the weights are read.

        Raises:
            NotImplementedError: It parts no whole answers.
            RuntimeError, ValueError, TypeError: The tokenizer has not the marks that it looks for.
        """
        _extracted(self._parser({}), "?", {})

    def _parser(self, options: Mapping[str, Any]) -> Any:
        return self._kind(self._tokenizer, chat_template_kwargs=dict(options))


def _extracted(parser: Any, text: str, options: Mapping[str, Any]) -> tuple[str | None, str | None]:
    # A parser looks at no more of a request than at the variables of its template.
    request = SimpleNamespace(chat_template_kwargs=dict(options), include_reasoning=True)
    thought, response = parser.extract_reasoning(text, request)
    return thought, response


def find_parser(args: Any, tokenizer: Any, control: Mapping[str, int]) -> FamilyParser | None:
    """Return the parser that vLLM's engine arguments name; None where they name none.

    Args:
        args: The engine arguments.
        tokenizer: The model's.
        control: Its control tokens, by their text.

    Raises:
        UsageError: vLLM has no such parser, or it cannot be used for this model's answers.
    """
    name = args.reasoning_parser
    if not name:
        return None
    from vllm.reasoning import ReasoningParserManager

    if plugin := args.reasoning_parser_plugin:
        ReasoningParserManager.import_reasoning_parser(plugin)
    if name not in (known := ReasoningParserManager.list_registered()):
        raise unknown_name("reasoning parser of vLLM", name, known)
    kind = ReasoningParserManager.get_reasoning_parser(name)
    found = FamilyParser(name, kind, tokenizer, control, in_engine=True)
    try:
        found.check()
    except NotImplementedError:
        raise UsageError(
            f"--engine-arg reasoning_parser={name} parts no whole answer: leave it out, as harmony's channels"
            " are parted without it"
        ) from None
    except (RuntimeError, ValueError, TypeError) as error:
        raise UsageError(
            f"--engine-arg reasoning_parser={name} is for another model: {shorten(str(error))}"
        ) from None
    return found


def family_parser(model_type: str | None, tokenizer: Any, control: Mapping[str, int]) -> FamilyParser | None:
    """Return the parser that vLLM has for a model's family; None where there is none, or the marks are not.

    Args:
        model_type: The family, as the model's config names it.
        tokenizer: The model's.
        control: Its control tokens, by their text.
    """
    from vllm.reasoning import ReasoningParserManager

    name = FAMILIES.get(model_type or "")
    if name is None or name not in ReasoningParserManager.list_registered():
        return None
    kind = ReasoningParserManager.get_reasoning_parser(name)
    found = FamilyParser(name, kind, tokenizer, control, in_engine=False)
    try:
        found.check()
    except (RuntimeError, ValueError, TypeError):  # its tokenizer lacks them
        return None
    return found
