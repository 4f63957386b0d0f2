"""A verdict with what the nights before it say: whether a metric drifts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import Any

from longbench_write.backends.hashes import canonical_sha256
from longbench_write.compare.figures import signed
from longbench_write.compare.freshness import IMPORTED
from longbench_write.compare.lacking import missing
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.paired import Difference
from longbench_write.compare.rule import ALPHA, Rule
from longbench_write.compare.scores import RunScores
from longbench_write.files.output import append_line
from longbench_write.gate.gate import Finding, Outcome, Verdict
from longbench_write.gate.history import (
    Followed,
    HeldTrend,
    VerdictLine,
    by_night,
    once_each,
    read_history,
)
from longbench_write.gate.trend import FEWEST, Trend, trend_of
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.length import S_L
from longbench_write.scoring.figures import value_in
from longbench_write.stats import holm


def followed(verdict: Verdict, rule: Rule, path: Path, now: datetime) -> Verdict:
    """Return the verdict with a finding a gated metric on its trend over the nights of a history.

    A metric's trend is a regression where the interval of its slope says that it is getting worse, and it has
    fallen since the oldest week by as much as the rule allows a run to fall. The intervals hold on all nights
    at once and for all gated metrics together: of histories without a trend, 5% or fewer ever have a
    regression by it. The levels are Holm's, of one-sided tests.

    Args:
        verdict: On this run alone.
        rule: What counts as a regression.
        path: The history; one that is not there begins with this run.
        now: The time, UTC.
    """
    lines, notes = read_history(path, now)
    line = _line_of(verdict, rule, now)
    alike = [each for each in lines if each.subject == line.subject]
    if others := len(lines) - len(alike):
        notes.append(
            f"of {path}, {others} verdicts are left out: they are about another model, suite, writer or "
            "judge, or other prompts"
        )
    nights = once_each([*alike, line])
    gated = [metric for metric in rule.gated(verdict.a.known) if rule.allowed(metric) is not None]
    days = {metric: by_night(nights, str(metric)) for metric in gated}
    told = trends_held(days, rule)
    every = {each.time.date() for each in nights}
    history = Followed(
        path=path,
        line=line,
        since=min(every),
        nights=len(every),
        trends={metric: told.get(metric) for metric in gated},
    )
    findings = [_finding(metric, held, min(days[metric])) for metric, held in told.items()]
    if not told:
        notes.append(
            f"nights in {path} since {min(every)}: {len(every)}; a trend is told from {FEWEST} nights on"
        )
    return replace(
        verdict, findings=[*verdict.findings, *findings], notes=[*verdict.notes, *notes], history=history
    )


def append_verdict(verdict: Verdict) -> None:
    """Append a verdict to the history that it was held against, if any; the file is made where there is none.

    Raises:
        UsageError: It cannot be written.
    """
    if verdict.history:
        line = replace(verdict.history.line, exit_code=verdict.exit_code)
        append_line(verdict.history.path, line.text())


def trends_held(
    days: Mapping[MetricInRange, Mapping[date, float]], rule: Rule
) -> dict[MetricInRange, HeldTrend]:
    """Return the trend of each gated metric that has nights enough, held against the rule.

    Args:
        days: The metrics' figures by day.
        rule: What counts as a regression.
    """
    trends = {metric: trend for metric, figures in days.items() if (trend := trend_of(figures))}
    told = {metric: trend for metric, trend in trends.items() if trend.nights >= FEWEST}
    levels = holm(told, lambda metric, alpha: _is_worse(told[metric], metric, alpha), alpha=ALPHA)
    found = {}
    for metric, alpha in levels.items():
        trend, allowed = told[metric], rule.allowed(metric) or 0.0
        fall = -trend.change if metric.metric.higher_is_better else trend.change
        found[metric] = HeldTrend(
            trend,
            level=1 - 2 * alpha,
            interval=trend.interval(1 - 2 * alpha),
            allowed=allowed,
            is_regression=_is_worse(trend, metric, alpha) and fall >= allowed,
        )
    return found


def _is_worse(trend: Trend, metric: MetricInRange, alpha: float) -> bool:
    """Return whether a slope is one for the worse, by a one-sided test at this level.

    An interval that holds on all nights lies on either side of the truth as often as on the other, so that
    each end is wrong in half of the histories that it fails in.
    """
    found = trend.interval(1 - 2 * alpha)
    if found is None:
        return False
    return found[1] < 0 if metric.metric.higher_is_better else found[0] > 0


def _finding(metric: MetricInRange, held: HeldTrend, since: date) -> Finding:
    """Return what is said of a trend; its difference is from the oldest week to the last."""
    kind, trend = metric.metric, held.trend
    about = Metric(
        f"{kind.name} trend",
        f"{kind.symbol} trend",
        range=None,
        unit=kind.unit,
        higher_is_better=kind.higher_is_better,
    )
    change = Difference(
        MetricInRange(about, metric.range), trend.nights, trend.oldest, trend.latest, trend.change
    )
    known = "no interval yet"
    if held.interval:
        low, high = map(_finely, held.interval)
        known = f"{100 * held.level:.3g}% interval {low} to {high}"
    return Finding(  # of no level: the interval that it was held to is the slope's
        metric=change.metric,
        outcome=Outcome.REGRESSED if held.is_regression else Outcome.PASSED,
        difference=change,
        mean=trend.latest,
        missing=(0, trend.nights),
        message=f"{metric} {'drifts' if held.is_regression else 'moves'} by {_finely(trend.per_week)} "
        f"{kind.unit} a week over {trend.nights} nights ({known}), and has changed by {signed(trend.change)} "
        f"since the week of {since} (allowed {held.allowed:g})",
    )


def _finely(change: float) -> str:
    """Format a change in a week, of which a tenth of a point is much."""
    return f"{change:+.2f}".replace("-", "\N{MINUS SIGN}")


def _line_of(verdict: Verdict, rule: Rule, now: datetime) -> VerdictLine:
    """Return this run's line; its exit code is yet to come."""
    run, made = verdict.b, verdict.fresh.run
    gated = rule.gated(verdict.a.known)
    metrics = dict.fromkeys([*map(MetricInRange, HEADLINES), *gated])
    return VerdictLine(
        at=now.isoformat(timespec="seconds"),
        run=_digest(run),
        baseline=verdict.a.origin.digest if verdict.a.origin else _digest(verdict.a),
        exit_code=0,
        figures=dict(_figures(verdict, metrics, rule.max_missing)),
        prompts=run.summary.prompts["n"] if run.summary else len(run.lengths),
        of=_subject(run),
        made=made.last.isoformat(timespec="seconds") if made else None,
    )


def _figures(
    verdict: Verdict, metrics: Iterable[MetricInRange], max_missing: float
) -> list[tuple[str, float]]:
    """Return the run's means; none of a metric that more responses lack than may."""
    run = verdict.b
    found = []
    for metric in metrics:
        mean = metric.mean(run)
        if run.summary and metric.range is None:
            mean = value_in(run.summary.overall, metric.metric)
        short, owed = missing(verdict.a, run, metric)
        if mean is not None and short <= max_missing * owed:
            found.append((str(metric), mean))
    return found


def _digest(scores: RunScores) -> str:
    """Return what tells one run from another.

    A run is known by when it began, so that one that was resumed, or judged anew, is the same one. Of others
    that is not known, their responses tell, or their figures where that is all.
    """
    runs = scores.members or (scores,)
    if scores.info and scores.info.settings.get("backend") != IMPORTED:
        known: Any = sorted(str(run.info.start) for run in runs if run.info)
    elif scores.summary:
        known = scores.summary.to_json()
    else:
        responses = sorted(scores.responses.values(), key=lambda response: response.key)
        known = [(*each.key, each.words, each.values.get(S_L.name)) for each in responses]
    return canonical_sha256([_subject(scores), known])


def _subject(scores: RunScores) -> dict[str, str | None]:
    info = scores.info
    if info is None:
        return {"model": scores.name}
    return {
        "model": info.model,
        "suite": info.suite,
        "suite_version": info.suite_version,
        "suite_sha256": info.suite_sha256,
        "prompts_sha256": info.prompts["sha256"],
        "writer": info.writer,
        "judge": info.judge,
        "judge_sha256": info.judge_sha256,
    }
