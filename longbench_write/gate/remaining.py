"""What remains of a difference without what servers may have spoilt, and whether a verdict rests on that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from longbench_write.compare.figures import signed
from longbench_write.compare.paired import Difference, difference
from longbench_write.compare.rule import Rule
from longbench_write.compare.serving import Without
from longbench_write.gate.sentences import fell, from_to, interval_words


@dataclass(frozen=True)
class _Part:
    """A difference without something, and whether it is a fall of its own."""

    without: Without
    difference: Difference
    fallen: bool


@dataclass(frozen=True)
class Remaining:
    """A difference in one metric, as it stands and without what servers may have spoilt.

    A verdict stands where both agree on whether the metric has fallen, all that is doubtful left out.

    Attributes:
        change: As it stands.
        alpha: 1 minus the level of its interval.
        fallen: Whether it is a fall of more than is allowed.
        parts: Without each cause, at last without all of them; empty where there is none.
    """

    change: Difference
    alpha: float
    fallen: bool
    parts: list[_Part]

    @classmethod
    def of(
        cls, change: Difference, alpha: float, rule: Rule, spoilt: Sequence[Without], seed: int
    ) -> Remaining:
        """Compute what remains.

        Args:
            change: The difference between the two runs.
            alpha: 1 minus the level that the gate holds it to.
            rule: What counts as a regression.
            spoilt: The runs without what servers may have spoilt.
            seed: Of the resampling.
        """
        parts = []
        for without in spoilt:
            left = difference(without.a, without.b, change.metric, seed=seed)
            parts.append(_Part(without, left, rule.is_fall(left, alpha)))
        return cls(change, alpha, rule.is_fall(change, alpha), parts)

    @property
    def is_regression(self) -> bool:
        """Whether there is a fall that remains."""
        return self.fallen and all(part.fallen for part in self.parts[-1:])

    def by_cause(self) -> dict[str, Difference]:
        """Return what is left of the difference, by what was left out."""
        return {part.without.what: part.difference for part in self.parts}

    def last(self) -> list[tuple[str, Difference]]:
        """Return what is left without all that is doubtful, and the words for it; empty where nothing is."""
        return [(part.without.where, part.difference) for part in self.parts[-1:]]

    def stands(self) -> str:
        """Return by how much it still fell, as the end of a sentence; "" where nothing was left out."""
        if not self.parts:
            return ""
        last = self.parts[-1]
        return f"; {last.without.where} it {fell(last.difference)} by {self._left(last)} ({last.without.why})"

    def doubt(self) -> str:
        """Return why it cannot be told whether it has fallen; "" where it can."""
        if not self.parts or self.parts[-1].fallen is self.fallen:
            return ""
        part = next(part for part in self.parts if part.fallen is not self.fallen)
        where, why = part.without.where, part.without.why
        said = f"cannot be told: it {self._said()}"
        if part.fallen:
            return f"{said}, but {where} it {fell(part.difference)} by {self._left(part)}; {why}"
        if part.difference.value is None:
            return f"{said}, and nothing can be compared {where}; {why}"
        change = f"{signed(part.difference.value)} ({interval_words(part.difference, self.alpha)})"
        return f"{said}, but not {where}: {change}; {why}"

    def _said(self) -> str:
        if not self.fallen:
            return f"changed by {signed(self.change.value)}, {from_to(self.change)}"
        how_far = f"{self.change.drop or 0:.1f} {self.change.metric.metric.unit}"
        return f"{fell(self.change)} by {how_far}, {from_to(self.change)}"

    def _left(self, part: _Part) -> str:
        return f"{part.difference.drop or 0:.1f}, {interval_words(part.difference, self.alpha)}"
