"""The thread that a model is run in: it takes what waits into batches, and hands out what has ended.

A batch is as many requests as may be generated at once, in the order in which they came, which is the order
of the required length: neighbours take about as long. It is ended, and another made of the rest and of what
waits, as soon as half of its requests have ended or as many as are still open could join. A request goes on
there with the tokens that it has, and its own generator.
"""

from __future__ import annotations

import importlib
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from longbench_write.backends.hf.batch import Batch, Request
from longbench_write.errors import BackendError, shorten

_LOOK_EVERY = 1.0
"""Seconds between two looks whether the process is ending."""


class Engine:
    """Generates; its methods may be called from any thread.

    Args:
        model: A model of transformers, or of PEFT around one.
        ends: Token ids that end an answer.
        pad: The token id that fills a batch's shorter rows.
        most: Requests that are generated at once at most.
        on_tokens: Told how many new tokens there are, in the engine's thread.
        on_end: Told of each request that needs no more tokens, in the engine's thread, with the error that
            ended it, if one did.
        note: Told what the user should know, in the engine's thread.
    """

    def __init__(
        self,
        model: Any,
        *,
        ends: frozenset[int],
        pad: int,
        most: int,
        on_tokens: Callable[[int], None],
        on_end: Callable[[Request, BackendError | None], None],
        note: Callable[[str], None],
    ) -> None:
        self._model = model
        self._ends = ends
        self._pad = pad
        self._most = most
        self._on_tokens = on_tokens
        self._on_end = on_end
        self._note = note
        self._waiting: deque[Request] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="transformers")
        self._thread.start()

    def submit(self, request: Request) -> None:
        """Have a request generated."""
        with self._changed:
            self._waiting.append(request)
            self._changed.notify()

    def close(self) -> None:
        """End what is generated, at its next token, and the thread; blocks until it has ended."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    @property
    def _ending(self) -> bool:
        """Whether nothing more is wanted; the process may end without having closed it."""
        return self._closed or not threading.main_thread().is_alive()

    def _run(self) -> None:
        running: list[Request] = []
        while running := self._filled(running):
            try:
                self._generate(running)
            except Exception as raised:  # whatever the model's code, torch or a driver raises
                error = self._failure(raised, running)
            else:
                error = None
            for request in running:
                if error or not request.open:
                    self._on_end(request, error or _error_of(request))
            running = [] if error else [request for request in running if request.open]

    def _filled(self, running: list[Request]) -> list[Request]:
        """Wait for requests, and return those of the next batch; none if it is ending."""
        with self._changed:
            while not self._ending:
                while self._waiting and len(running) < self._most:
                    request = self._waiting.popleft()
                    if request.open:
                        running.append(request)
                if running:
                    return running
                self._changed.wait(_LOOK_EVERY)
            left, self._waiting = [*running, *self._waiting], deque()
        for request in left:
            self._on_end(request, BackendError("engine_dead", "the model was closed"))
        return []

    def _generate(self, requests: list[Request]) -> None:
        """Generate until a request has ended whose place can be used better, or all have."""
        transformers = importlib.import_module("transformers")
        count = len(requests)

        def regroup(still: int) -> bool:
            joining = min(len(self._waiting), self._most - still)
            return self._ending or 2 * still <= count or joining >= still

        batch = Batch(requests, self._ends, regroup, self._on_tokens)
        config = transformers.GenerationConfig(
            do_sample=False,
            use_cache=True,
            max_new_tokens=batch.most,
            eos_token_id=sorted(self._ends) or None,
            pad_token_id=self._pad,
        )
        device = self._model.device
        if device.type == "meta":  # its first weights are on disk, and accelerate moves what it is given
            device = "cpu"
        self._model.generate(
            **batch.inputs(self._pad, device),
            generation_config=config,
            logits_processor=transformers.LogitsProcessorList([batch.choose]),
            stopping_criteria=transformers.StoppingCriteriaList([batch.follow]),
        )

    def _failure(self, raised: Exception, requests: list[Request]) -> BackendError | None:
        """Return what a failed batch means for its requests; None: they are tried again, fewer at once."""
        torch = importlib.import_module("torch")
        no_memory = isinstance(raised, torch.OutOfMemoryError)
        reason = "memory ran out" if no_memory else f"{type(raised).__name__}: {shorten(str(raised))}"
        if (count := len(requests)) > 1:
            self._most = count // 2
            with self._changed:
                self._waiting.extendleft(reversed(requests[self._most :]))
            del requests[self._most :]
            self._note(f"{reason} with {count} prompts at once: {self._most} at once from here on")
            return None
        if no_memory:
            tokens = len(requests[0].prompt) + len(requests[0].new)
            return BackendError(
                "context_length",
                f"memory ran out at {tokens} tokens: lower --max-tokens or --max-model-len, or spread the"
                " model over more devices with --device-map auto",
            )
        return BackendError("engine_dead", f"transformers cannot generate ({reason})")


def _error_of(request: Request) -> BackendError | None:
    return BackendError("bad_response", request.fault) if request.fault else None
