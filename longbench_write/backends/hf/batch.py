"""One call of transformers' `generate` for several requests at once, followed token by token."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from longbench_write.backends.finish_reasons import LENGTH, STOP
from longbench_write.backends.hf.sampling import Processor, penalised, text_processors, warpers


@dataclass(eq=False, slots=True)
class Request:
    """A request, and how far it is.

    Attributes:
        prompt: Its token ids.
        most: New tokens at most.
        values: Its sampling, every field set.
        new: New token ids so far.
        finish: "stop" or "length" once it has ended.
        fault: Why there is no answer; None while there may be one.
        cancelled: Whether nobody waits for it any more.
    """

    prompt: Sequence[int]
    most: int
    values: Mapping[str, Any]
    new: list[int] = field(default_factory=list)
    finish: str | None = None
    fault: str | None = None
    cancelled: bool = False
    generator: Any = None

    @property
    def open(self) -> bool:
        """Whether it needs more tokens."""
        return self.finish is None and self.fault is None and not self.cancelled

    @property
    def greedy(self) -> bool:
        """Whether each token is the likeliest one."""
        return self.values.get("temperature") == 0

    def seeded(self, device: Any) -> Any:
        """Return its generator, made when it is first asked for."""
        if self.generator is None:
            self.generator = importlib.import_module("torch").Generator(device=device)
            seed = self.values.get("seed")
            if seed is None:
                self.generator.seed()
            else:
                self.generator.manual_seed(seed)
        return self.generator


NOT_A_NUMBER = "the model's scores are not numbers (NaN): try --dtype bfloat16 or float32"


class Batch:
    """Some requests that are generated together; `generate` calls it back at every token.

    Args:
        requests: Those that are generated, each with a token at least to go.
        ends: Token ids that end an answer.
        regroup: Given the number of open requests, says whether a new batch is to be made.
        on_tokens: Told how many new tokens there are.

    Attributes:
        choose: A logits processor for `generate`: the token that is to be next has the highest score.
        follow: A stopping criterion for it: takes each row's new token, and says which rows have ended.
    """

    def __init__(
        self,
        requests: Sequence[Request],
        ends: frozenset[int],
        regroup: Callable[[int], bool],
        on_tokens: Callable[[int], None],
    ) -> None:
        self._requests = requests
        self._ends = ends
        self._regroup = regroup
        self._on_tokens = on_tokens
        self._rows = [[*request.prompt, *request.new] for request in requests]
        self._longest = max(map(len, self._rows))
        self._built: dict[int, tuple[list[Processor], list[Processor]]] = {}
        self._bad: Any = None
        self.choose = _Called(self._choose)
        self.follow = _Called(self._follow)

    @property
    def most(self) -> int:
        """New tokens that some request may still have."""
        return max(request.most - len(request.new) for request in self._requests)

    def inputs(self, pad: int, device: Any) -> dict[str, Any]:
        """Return token ids and their mask [requests, tokens], padded on the left."""
        torch = importlib.import_module("torch")
        missing = [self._longest - len(row) for row in self._rows]
        ids = [[pad] * lack + row for lack, row in zip(missing, self._rows, strict=True)]
        mask = [[0] * lack + [1] * len(row) for lack, row in zip(missing, self._rows, strict=True)]
        return {
            "input_ids": torch.tensor(ids, device=device),
            "attention_mask": torch.tensor(mask, device=device),
        }

    def _choose(self, ids: Any, scores: Any) -> Any:
        """Process the scores of each row, and where it is sampled, leave one token.

        Args:
            ids: Token ids so far [requests, tokens].
            scores: The model's scores of the next token [requests, vocabulary].
        """
        self._bad = scores.isnan().any(-1)
        scores = scores.nan_to_num(nan=0.0)
        for number, request in enumerate(self._requests):
            if request.open:
                text = ids[number : number + 1, self._longest - len(self._rows[number]) :]
                scores[number] = self._chosen(request, text, scores[number : number + 1])[0]
        return scores

    def _chosen(self, request: Request, text: Any, scores: Any) -> Any:
        """Process the scores [1, vocabulary] of a request, whose `text` [1, tokens] is without padding."""
        before, behind = self._processors(request, scores.device)
        for processor in before:
            scores = processor(text, scores)
        scores = penalised(scores, text[0, len(request.prompt) :], request.values)
        if request.greedy:
            return scores
        for processor in behind:
            scores = processor(text, scores)
        token = scores.softmax(-1).multinomial(1, generator=request.seeded(scores.device))
        return scores.new_full(scores.shape, float("-inf")).scatter_(1, token, 0.0)

    def _processors(self, request: Request, device: Any) -> tuple[list[Processor], list[Processor]]:
        """Return the processors of a request's sampling: of the text so far, and of the distribution."""
        key = id(request)
        if key not in self._built:
            self._built[key] = text_processors(request.values, device), warpers(request.values, device)
        return self._built[key]

    def _follow(self, ids: Any, scores: Any) -> Any:
        """Take the new tokens, and return which rows have ended [requests]; all, to make a new batch."""
        tokens, bad = ids[:, -1].tolist(), self._bad.tolist()
        taken = 0
        for request, token, is_bad in zip(self._requests, tokens, bad, strict=True):
            if not request.open:
                continue
            if is_bad:
                request.fault = NOT_A_NUMBER
                continue
            request.new.append(token)
            taken += 1
            if token in self._ends:
                request.finish = STOP
            elif len(request.new) >= request.most:
                request.finish = LENGTH
        self._on_tokens(taken)
        still = [request.open for request in self._requests]
        if self._regroup(sum(still)):
            still = [False] * len(still)
        return ~ids.new_tensor(still).bool()


class _Called:
    """A callable of the two arguments that `generate` passes to its processors and criteria."""

    def __init__(self, function: Callable[[Any, Any], Any]) -> None:
        self._function = function

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """Call the function."""
        return self._function(input_ids, scores)
