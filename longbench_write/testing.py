"""For teams that gate in their own tests: `from longbench_write.testing import assert_no_regression`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

from longbench_write.errors import LbwError
from longbench_write.gate.checking import check_run
from longbench_write.gate.following import append_verdict
from longbench_write.gate.gate import Outcome, Verdict


class GateNoteWarning(UserWarning):
    """What must be known of a comparison that passed, such as settings that differ."""


def assert_no_regression(
    run: str | Path | Sequence[str | Path],
    baseline: str | Path | None = None,
    *,
    metrics: Sequence[str] | None = None,
    max_drop: float | Mapping[str, float] | None = None,
    floors: Mapping[str, float | Mapping[str, float]] | None = None,
    max_missing: float | None = None,
    non_inferiority: float | Mapping[str, float] | None = None,
    max_age: float | None = None,
    allow_different_judges: bool | None = None,
    common: bool | None = None,
    history: str | Path | None = None,
    config: str | Path | None = None,
) -> None:
    """Fail where `lbw-eval check RUN --baseline BASELINE` would not exit with 0.

    An lbw-gate.yaml in the working folder is read as the command reads it, and what is given here overrules
    it. Notes of a comparison that passed are `GateNoteWarning`s, those of one that failed stand in its error.

    Args:
        run: The run in question: its folder, or a folder with no other run under it; or several of one
            model, which are pooled.
        baseline: A run, a file that `lbw-eval baseline` wrote, a summary.json or a scores.csv; None for that
            of lbw-gate.yaml.
        metrics: The gated ones, such as "S_l" or "S_q[2000,4000)"; by default S_bar, S_l and S_q.
        max_drop: Percent of a metric's range, so points; a mean drop of at least so many may be a regression.
            Or a drop by metric, in its unit. By default 1 percent.
        floors: Where a metric's mean fails whatever the baseline says: below it, or above where lower is
            better. `{"at_least": 80, "confident": True}` in place of a number fails only where the 95%
            interval of the mean lies wholly there.
        max_missing: Percent of responses that may lack a score, by default 5.
        non_inferiority: Percent of a metric's range, so points; every gated metric must then be shown to be
            worse by less, by a one-sided 95% bound. Or a margin by metric, in its unit.
        max_age: Hours; where a response of the run is older, it cannot be told. By default any age.
        allow_different_judges: Compare what different judges said.
        common: Where the suites differ, compare the prompts that have not changed.
        history: A file of verdicts, which is looked through for a trend and gets this one.
        config: Another file of these settings than the lbw-gate.yaml.

    Raises:
        AssertionError: A metric has regressed or drifts, is below its floor, or it cannot be told.
        LbwError: The two cannot be read or compared.
    """
    __tracebackhide__ = True
    given = {
        "baseline": None if baseline is None else Path(baseline),
        "metrics": metrics,
        "max_drop": _plain(max_drop),
        "min": None if floors is None else dict(floors),
        "max_missing": max_missing,
        "non_inferiority": _plain(non_inferiority),
        "max_age": max_age,
        "allow_different_judges": allow_different_judges,
        "common": common,
        "history": None if history is None else Path(history),
    }
    runs = [Path(each) for each in ([run] if isinstance(run, str | Path) else run)]
    verdict = check_run(runs, given, None if config is None else Path(config))
    _end(verdict, run)


def _plain(numbers: float | Mapping[str, float] | None) -> float | dict[str, float] | None:
    return dict(numbers) if isinstance(numbers, Mapping) else numbers


def _end(verdict: Verdict, run: object) -> None:
    """Append the verdict to its history, if any; fail where it did not pass, else warn of its notes."""
    __tracebackhide__ = True
    failed = "" if verdict.outcome is Outcome.PASSED else _failure(verdict, run)
    try:
        append_verdict(verdict)
    except LbwError as error:
        if not failed:
            raise
        failed += f"\n  note: {error}"
    if failed:
        raise AssertionError(failed)
    for note in verdict.told if verdict.fresh.repeats_baseline else verdict.notes:
        warnings.warn(note, GateNoteWarning, stacklevel=3)


def _failure(verdict: Verdict, run: object) -> str:
    """Return what is said of a run that did not pass: each finding that did not, and the notes."""
    failed = [finding for finding in verdict.findings if finding.outcome is not Outcome.PASSED]
    lines = [f"{run} has regressed against or cannot be told from {verdict.a.source}:"]
    lines += [f"{found.outcome}: {found.message}" for found in failed]
    return "\n  ".join([*lines, *(f"note: {note}" for note in verdict.told)])
