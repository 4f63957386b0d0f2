"""For teams that gate in their own tests: `from longbench_write.testing import assert_no_regression`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from longbench_write.compare.loading import load_scores
from longbench_write.gate.config import build_gate
from longbench_write.gate.gate import Outcome, check
from longbench_write.metrics.catalogue import merged


def assert_no_regression(
    run: str | Path,
    baseline: str | Path,
    *,
    metrics: Sequence[str] | None = None,
    max_drop: float | Mapping[str, float] = 1.0,
    floors: Mapping[str, float] | None = None,
    max_missing: float = 5.0,
    non_inferiority: float | None = None,
    allow_different_judges: bool = False,
) -> None:
    """Fail where `lbw-eval check RUN --baseline BASELINE` would not exit with 0.

    Args:
        run: The run in question: its folder, or a folder with no other run under it.
        baseline: A run, a file that `lbw-eval baseline` wrote, a summary.json or a scores.csv.
        metrics: The gated ones, such as "S_l" or "S_q[2000,4000)"; None gates S_bar, S_l and S_q.
        max_drop: Percent of a metric's range, so points; a mean drop of at least so many may be a regression.
            Or a drop by metric, in its unit.
        floors: Where a metric's mean fails whatever the baseline says: below it, or above where lower is
            better.
        max_missing: Percent of responses that may lack a score.
        non_inferiority: Percent of a metric's range, so points; every gated metric must then be shown to be
            worse by less, by a one-sided 95% bound.
        allow_different_judges: Compare what different judges said.

    Raises:
        AssertionError: A metric has regressed, is below its floor, or it cannot be told.
        LbwError: The two cannot be read or compared.
    """
    __tracebackhide__ = True
    old, new = load_scores(Path(baseline)), load_scores(Path(run))
    settings = build_gate(
        {
            "metrics": metrics,
            "max_drop": max_drop,
            "min": floors or {},
            "max_missing": max_missing,
            "non_inferiority": non_inferiority,
            "allow_different_judges": allow_different_judges,
        },
        merged(old.metrics, new.metrics),
    )
    verdict = check(
        old,
        new,
        settings.rule,
        allow_different_judges=settings.allow_different_judges,
    )
    if failed := [finding for finding in verdict.findings if finding.outcome is not Outcome.PASSED]:
        lines = [f"{run} has regressed against or cannot be told from {baseline}:"]
        raise AssertionError(
            "\n  ".join([*lines, *(f"{found.outcome}: {found.message}" for found in failed)])
        )
