"""Comparisons and verdicts as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from longbench_write.compare.comparison import Comparison
from longbench_write.compare.correction import correct
from longbench_write.compare.paired import Difference, Moved
from longbench_write.compare.scores import RunScores
from longbench_write.compare.serving import suspects_of, tokens_added
from longbench_write.gate.fallen import FallenResponse
from longbench_write.gate.gate import Finding, Verdict
from longbench_write.gate.headline import detectable_drops, headline

SCHEMA = 1


def comparison_json(found: Comparison) -> str:
    """Return the JSON of `lbw-eval compare`."""
    return _text(
        {
            "schema": SCHEMA,
            "a": _side(found.a),
            "b": _side(found.b),
            "notes": found.notes,
            "differences": _differences(found.differences),
            "intervals": _intervals(found.differences),
            "without": {what: _differences(left) for what, left in found.without.items()},
            "added_prompt_tokens": tokens_added(found.a, found.b),
            "detectable_drop": {str(metric): drop for metric, drop in found.detectable.items()},
            "moved": {
                "metric": str(found.moved_in),
                "fallen": [_moved(prompt) for prompt in found.fallen],
                "risen": [_moved(prompt) for prompt in found.risen],
            },
            "counts": {name: {"a": a, "b": b} for name, (a, b) in found.counts.items()},
        }
    )


def verdict_json(verdict: Verdict, worst: Sequence[FallenResponse] = ()) -> str:
    """Return the JSON of `lbw-eval check`.

    Args:
        verdict: The verdict.
        worst: The responses that fell furthest.
    """
    return _text(
        {
            "schema": SCHEMA,
            "outcome": verdict.outcome.value,
            "exit_code": verdict.exit_code,
            "headline": headline(verdict),
            "detectable_drop": detectable_drops(verdict),
            "baseline": _side(verdict.a),
            "run": _side(verdict.b),
            "runs": [verdict.a.runs, verdict.b.runs],
            "fresh": verdict.fresh.to_json(),
            "history": verdict.history.to_json() if verdict.history else None,
            "notes": verdict.told,
            "findings": [_finding(finding) for finding in verdict.findings],
            "differences": _differences(verdict.differences),
            "intervals": _intervals(verdict.differences),
            "added_prompt_tokens": tokens_added(verdict.a, verdict.b),
            "worst": [asdict(each) | {"metric": str(each.metric)} for each in worst],
        }
    )


def error_json(error: str, exit_code: int) -> str:
    """Return the JSON of `lbw-eval check` where there is no verdict.

    Args:
        error: Why there is none.
        exit_code: What the command ends with.
    """
    return _text({"schema": SCHEMA, "error": error, "exit_code": exit_code})


def _text(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, indent=2, allow_nan=False) + "\n"


def _side(scores: RunScores) -> dict[str, Any]:
    info = asdict(scores.info) if scores.info else None
    return {
        "source": str(scores.source),
        "model": scores.name,
        "heading": info,
        "ceilings": scores.ceilings,
        "suspects": suspects_of(scores),
        "serving": scores.serving,
    }


def _differences(found: Sequence[Difference]) -> dict[str, dict[str, Any]]:
    surviving = correct(found).surviving
    return {
        str(each.metric): _difference(each) | {"survives_correction": each.metric in surviving}
        for each in found
    }


def _intervals(found: Sequence[Difference]) -> dict[str, Any]:
    """Return what the intervals are worth together."""
    together = correct(found)
    return {
        "number": together.intervals,
        "expected_by_chance": together.by_chance,
        "excluding_zero": len(together.excluding),
        "correction": "holm",
        "surviving": sorted(map(str, together.surviving)),
    }


def _difference(each: Difference) -> dict[str, Any]:
    return {
        "prompts": each.n,
        "a": each.a,
        "b": each.b,
        "difference": each.value,
        "standard_error": each.error,
        "interval": each.interval,
        "p": each.p,
        "wins": each.wins,
        "ties": each.ties,
        "losses": each.losses,
    }


def _moved(prompt: Moved) -> dict[str, Any]:
    return asdict(prompt)


def _finding(finding: Finding) -> dict[str, Any]:
    return {
        "metric": str(finding.metric),
        "outcome": finding.outcome.value,
        "message": finding.message,
        **_difference(finding.difference),
        "level": finding.level,
        "interval_at_level": finding.interval,
        "max_drop": finding.allowed,
        "min": finding.floor,
        "below_floor": finding.below_floor,
        "mean": finding.mean,
        "mean_interval": finding.mean_interval,
        "non_inferiority": finding.margin,
        "bound": finding.bound,
        "detectable_drop": finding.detectable,
        "missing": finding.missing[0],
        "owed": finding.missing[1],
        "without": {what: _difference(each) for what, each in finding.without.items()},
        "fell_in": [change.metric.range for change in finding.fell_in],
    }
