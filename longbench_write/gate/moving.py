"""Baselines made from a run, and moved from one run to the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from longbench_write.compare.baseline import baseline_text, is_baseline, read_baseline
from longbench_write.compare.figures import number
from longbench_write.compare.lacking import missing_of_all
from longbench_write.compare.scores import RunScores
from longbench_write.errors import LbwError, UsageError
from longbench_write.gate.checking import gate_file, gate_settings, gate_values, load_runs
from longbench_write.gate.gate import Outcome, Verdict, check
from longbench_write.gate.sentences import AGAIN
from longbench_write.metrics.catalogue import merged

POLICY = (
    "Move a baseline by the calendar or by hand, not only when a run is better: one that moves only when "
    "better keeps the luckiest run, and ordinary nights look like falls: 39 of 180 simulated nights of an "
    "unchanged model, and 5 where a single run stayed the baseline."
)

ENOUGH_RUNS = 5
"""Of a pooled baseline: fewer say so little of how far runs vary that intervals are wider than for one."""


@dataclass(frozen=True)
class Moved:
    """A baseline that was moved to another run, or was not.

    Attributes:
        text: Of the new file; None where it stays as it is.
        scores: The run's.
        verdict: On the run against the old baseline; None where the baseline is this run's already.
        message: What became of it, in a sentence.
    """

    text: str | None
    scores: RunScores
    verdict: Verdict | None
    message: str

    @property
    def exit_code(self) -> int:
        """0 where the file holds the run's scores, else the verdict's."""
        return self.verdict.exit_code if self.text is None and self.verdict else 0


def made_baseline(
    runs: Sequence[Path], given: Mapping[str, Any], config: Path | None = None, *, incomplete: bool = False
) -> tuple[RunScores, str]:
    """Return a run's scores, and the text of their baseline file, the first of a chain.

    Args:
        runs: The run, or several of one model that are pooled.
        given: As for `check_run`; `max_missing` alone is used.
        config: Likewise.
        incomplete: Take a run that has more missing than is allowed; the file says so.

    Raises:
        UsageError: There is no scored run, or a value is refused.
        LbwError: More is missing than is allowed.
    """
    scores = load_runs(runs)
    source = gate_file(config)
    rule = gate_settings(gate_values(given, source), source, scores.metrics).rule
    lacking = _refuse_incomplete(scores, rule.max_missing, incomplete)
    return scores, baseline_text(scores, follows=None, incomplete=lacking)


def moved_baseline(
    path: Path,
    runs: Sequence[Path],
    given: Mapping[str, Any],
    config: Path | None = None,
    *,
    incomplete: bool = False,
) -> Moved:
    """Move a baseline file to another run, unless that has regressed or it cannot be told.

    Args:
        path: The baseline file.
        runs: The run whose scores it is to hold, or several of one model that are pooled.
        given: As for `check_run`.
        config: Likewise.
        incomplete: Take a run, or an old baseline, that has more missing than is allowed; the file says so.

    Raises:
        UsageError: There is no baseline file or no scored run, the two are not comparable, or a value is
            refused.
        LbwError: More is missing than is allowed.
    """
    if not path.is_file() or not is_baseline(path):
        raise UsageError(
            f"{path} is no baseline file: make the first one with `lbw-eval baseline RUN -o {path}`"
        )
    old, scores = read_baseline(path), load_runs(runs)
    source = gate_file(config)
    settings = gate_settings(gate_values(given, source), source, merged(old.metrics, scores.metrics))
    lacking = _refuse_incomplete(scores, settings.rule.max_missing, incomplete)
    if old.info == scores.info and old.responses == scores.responses:
        return Moved(None, scores, None, f"{path} holds the scores of this run already")
    rule = replace(settings.rule, max_missing=1.0) if incomplete else settings.rule
    verdict = check(old, scores, rule, allow_different_judges=settings.allow_different_judges)
    if verdict.outcome is not Outcome.PASSED:
        said = "; ".join(each.message for each in verdict.findings if each.outcome is verdict.outcome)
        return Moved(None, scores, verdict, f"{path} stays as it is, the run did not pass: {said}")
    changes = ", ".join(
        f"{each.metric} {number(each.difference.a)} → {number(each.difference.b)}"
        for each in verdict.findings
        if each.allowed is not None
    )
    text = baseline_text(scores, follows=old.origin, incomplete=lacking)
    fewer = (
        f"; it was of {old.runs} runs and is of {scores.runs} now, and fewer runs are luckier or unluckier"
        if scores.runs < old.runs
        else ""
    )
    return Moved(text, scores, verdict, f"{path} is moved to {scores.source}: {changes}{fewer}")


def _refuse_incomplete(scores: RunScores, allowed: float, incomplete: bool) -> bool:
    """Return whether more is missing than is allowed.

    Args:
        scores: The run's.
        allowed: The share of all responses that may be missing.
        incomplete: Whether more may be.

    Raises:
        LbwError: More is, and may not be.
    """
    judged = scores.info is not None and scores.info.judge is not None
    short, owed = missing_of_all(scores, needs_judge=judged)
    if short <= allowed * owed:
        return False
    if not incomplete:
        counts = scores.counts or {}
        kinds = ("not_generated", "generation_failed", *(("not_judged", "judge_failed") if judged else ()))
        parts = [f"{counts[kind]} {kind.replace('_', ' ')}" for kind in kinds if counts.get(kind)]
        raise LbwError(
            f"{scores.source}: {short} of {owed} responses have no score ({', '.join(parts)}; allowed "
            f"{allowed:.0%}), and a baseline would pass whatever falls there: {AGAIN}; --incomplete takes "
            "the run as it is"
        )
    return True
