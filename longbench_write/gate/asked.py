"""Whether two runs were asked and judged alike, as far as their servers' answers tell."""

from __future__ import annotations

from dataclasses import dataclass

from longbench_write.compare.paired import Difference
from longbench_write.compare.scores import RunScores
from longbench_write.compare.serving import added_words, mixed_models, tokens_added
from longbench_write.gate.sentences import NAMES, passed_words


@dataclass(frozen=True)
class Asked:
    """What says that the two models, or their judges, were not asked alike; empty where nothing does.

    Attributes:
        writers: Why no metric can be compared.
        judges: Why those that rest on the judge cannot.
    """

    writers: str
    judges: str

    @classmethod
    def of(cls, a: RunScores, b: RunScores, *, allow_different_judges: bool) -> Asked:
        """Look at two runs; a prompt that was sent differently is the user's own doing, and no doubt."""
        added = tokens_added(a, b, same=True)
        writers = mixed_models(a, b, "models", NAMES)
        if added is not None:
            writers = f"the two were asked differently: {added_words(added, NAMES)}"
        judges = "" if allow_different_judges else mixed_models(a, b, "judge_models", NAMES)
        return cls(writers, judges)

    def doubt(self, change: Difference, alpha: float) -> str:
        """Return why a difference that is no fall cannot be told to be none; "" where it can."""
        why = self.writers or (self.judges if change.metric.metric.needs_judge else "")
        return f"cannot be told: it {passed_words(change, alpha)}, but {why}" if why else ""
