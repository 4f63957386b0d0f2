"""A run checked against the baseline that lbw-gate.yaml, a command line or a test names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from longbench_write.compare.loading import load_scores
from longbench_write.compare.pooling import pooled
from longbench_write.compare.same_prompts import unchanged_alone
from longbench_write.compare.scores import RunScores
from longbench_write.errors import UsageError
from longbench_write.files.output import is_same_file
from longbench_write.gate.age import held_to_age
from longbench_write.gate.config import BY_METRIC, DEFAULT, PATHS, GateConfig, build_gate, read_gate
from longbench_write.gate.following import followed
from longbench_write.gate.gate import Verdict, check
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import merged

CONFIG = Path("lbw-gate.yaml")
"""The file that is read where it lies in the working folder and no other is named."""


def check_run(
    run: Path | Sequence[Path],
    given: Mapping[str, Any],
    config: Path | None = None,
    *,
    now: datetime | None = None,
) -> Verdict:
    """Return the verdict on a run; a history is read, and written by `append_verdict`.

    Args:
        run: The run in question, or several of one model that are pooled.
        given: What overrules the file, by the keys of `build_gate`; None for what it does not.
        config: The file that says the rest; None for the working folder's lbw-gate.yaml, if there is one.
        now: The time, UTC; None for the clock's.

    Raises:
        UsageError: A value is refused, no baseline is named, the history is another file that is read, or the
            two are not comparable.
        LbwError: The two cannot be read, or have nothing in common.
    """
    source = gate_file(config)
    values = gate_values(given, source)
    if values.get("baseline") is None:
        where = f" (nor does {source} name one)" if source else ""
        raise UsageError(f"--baseline is needed: a run, or the file that `lbw-eval baseline` wrote{where}")
    try:
        old = load_scores(Path(str(values["baseline"])))
    except UsageError as error:
        is_given = given.get("baseline") is not None
        raise (error if is_given else UsageError(f"{source}: baseline: {error}")) from None
    runs = [run] if isinstance(run, Path) else run
    new = load_runs(runs)
    settings = gate_settings(values, source, merged(old.metrics, new.metrics))
    if history := settings.history:
        others = [*runs, *(path for path in (settings.baseline, source) if path)]
        if any(is_same_file(history, other) for other in others):
            raise UsageError(f"history: {history} is read as something else too; name another file")
    old, new, left = unchanged_alone(old, new) if settings.common else (old, new, "")
    verdict = check(old, new, settings.rule, allow_different_judges=settings.allow_different_judges)
    if left:
        verdict = replace(verdict, notes=[left, *verdict.notes])
    now = now or datetime.now(UTC)
    if settings.history is not None:
        verdict = followed(verdict, settings.rule, settings.history, now)
    return verdict if settings.max_age is None else held_to_age(verdict, settings.max_age, now)


def files_read(given: Mapping[str, Any], config: Path | None = None) -> list[Path]:
    """Return the files beside the run that a verdict needs: settings, baseline and history.

    Args:
        given: As for `check_run`.
        config: Likewise; where it cannot be read, or is a pipe, which can be read but once, what is given
            counts alone.
    """
    source = gate_file(config)
    try:
        values = gate_values(given, source if source and source.is_file() else None)
    except UsageError:
        values = dict(given)
    return [Path(str(path)) for path in (source, *map(values.get, PATHS)) if path is not None]


def load_runs(runs: Sequence[Path]) -> RunScores:
    """Return the scores of a run, or of several as one.

    Raises:
        UsageError: One is no run, or they cannot be pooled.
        RunFolderError: One cannot be read.
    """
    return pooled([load_scores(run) for run in runs])


def gate_file(config: Path | None) -> Path | None:
    """Return the file of the gate's settings: the one that is named, or the working folder's, if any."""
    return config or (CONFIG if CONFIG.is_file() else None)


def gate_settings(
    values: Mapping[str, Any], source: Path | None, declared: tuple[Metric, ...] = ()
) -> GateConfig:
    """Do as `build_gate` does; errors name the file that the values come from."""
    try:
        return build_gate(values, declared)
    except UsageError as error:
        raise (UsageError(f"{source}, with the options given: {error}") if source else error) from None


def gate_values(given: Mapping[str, Any], source: Path | None) -> dict[str, Any]:
    """Return what a file says, overruled by what is given; numbers are overruled metric by metric.

    Args:
        given: By key; None for what is not.
        source: The file; None for none.

    Raises:
        UsageError: The file cannot be read.
    """
    values = read_gate(source) if source else {}
    for name, value in given.items():
        if value is None:
            continue
        old = values.get(name)
        if name in BY_METRIC and old is not None:
            old, value = (each if isinstance(each, dict) else {DEFAULT: each} for each in (old, value))
        values[name] = {**old, **value} if isinstance(value, dict) and isinstance(old, dict) else value
    return values
