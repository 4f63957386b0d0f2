"""What a run tells whoever watches it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from longbench_write.records import Judgement, Prediction, Step

if TYPE_CHECKING:
    from longbench_write.runs.work import Work


class Observer:
    """Is told what happens in a run; this one keeps silent, a display overrides what it shows."""

    def note(self, text: str) -> None:
        """Show something that the user should know, in one sentence."""

    def downloading(self, done: int, total: int | None) -> None:
        """Show that so many bytes of a model have come, of so many."""

    def begin(self, work: Work) -> None:
        """Note that requests are about to be made."""

    def predicted(self, record: Prediction) -> None:
        """Note that a response, or its failure, has been recorded."""

    def stepped(self, step: Step) -> None:
        """Note that one of the many requests of a response has been answered and recorded."""

    def judged(self, record: Judgement) -> None:
        """Note that a judgement, or its failure, has been recorded."""

    def tick(self) -> None:
        """Note that about a second has passed."""

    def end(self) -> None:
        """Note that no more requests will be made."""
