"""vLLM's reasoning parsers, for models whose thoughts stand in marks that only their family has.

`<think>` blocks, the tags of `backends/reasoning.py` and harmony's channels need none. A parser is named by
the engine argument that vLLM's server has for it (`reasoning_parser`) and never chosen unasked: most take a
text without any mark for thoughts that were cut off, which it is not where the model did not think.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from longbench_write.errors import UsageError, shorten, unknown_name


class FamilyParser:
    """Parts the answers of one model.

    Args:
        kind: A subclass of vLLM's ReasoningParser.
        tokenizer: The model's.
        control: Its control tokens, by their text.
    """

    def __init__(self, kind: Any, tokenizer: Any, control: Mapping[str, int]) -> None:
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
            Response and reasoning, without control tokens.
        """
        parser = self._parser(options)
        thought: str | None = None
        response: str | None = text
        if not parser.is_reasoning_end(list(prompt)):
            thought, response = _extracted(parser, text, options)
        there = [re.escape(name) for name, number in self._control.items() if number in ids]
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
    found = FamilyParser(ReasoningParserManager.get_reasoning_parser(name), tokenizer, control)
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
