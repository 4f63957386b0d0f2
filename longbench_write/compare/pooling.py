"""Several runs of one model as one: nights, seeds and servers that are to count together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from longbench_write.compare.comparable import OF_A_RUN, is_one_judge
from longbench_write.compare.same_prompts import same_prompts
from longbench_write.compare.scores import RunScores
from longbench_write.errors import UsageError
from longbench_write.records import Key
from longbench_write.scoring.summary import RunInfo


def pooled(runs: Sequence[RunScores]) -> RunScores:
    """Return several runs as one; each one's samples follow those of the run before.

    Args:
        runs: Of one model, suite, writer, sampling and judge; one alone is returned as it is.

    Raises:
        UsageError: They are not, or one is named twice; what differs is named.
    """
    first, *others = runs
    if not others:
        return first
    infos = [_check(run, first) for run in runs]
    if len({run.source.resolve() for run in runs}) < len(runs):
        raise UsageError("a run is named twice: name each of the runs once")
    samples = [_samples(run) for run in runs]
    offsets = [sum(samples[:place]) for place in range(len(runs))]
    info = replace(
        infos[0],
        samples=sum(info.samples for info in infos),
        start=min(info.start for info in infos),
    )
    return RunScores(
        source=Path(f"{first.source} (pooled with {len(others)} more)"),
        info=info,
        convention=first.convention,
        counts=_sums([run.counts for run in runs]),
        responses={
            (prompt, sample + offset): replace(response, sample=sample + offset)
            for run, offset in zip(runs, offsets, strict=True)
            for (prompt, sample), response in run.responses.items()
        },
        metrics=tuple(metric for metric in first.metrics if all(metric in run.metrics for run in others)),
        kept_hashes=_agreed([run.prompt_hashes for run in runs]),
        kept_tokens=_agreed([run.prompt_tokens for run in runs]),
        kept_contents=_agreed([run.prompt_contents for run in runs]),
        kept_asked=_sums([run.asked for run in runs]),
        kept_made=_made(runs, offsets),
        ceilings=_ceilings(runs),
        serving=_serving([run.serving for run in runs]),
        run_samples=tuple(samples),
        members=tuple(runs),
    )


def _check(run: RunScores, first: RunScores) -> RunInfo:
    """Return what a run is about, which may be pooled with the first.

    Raises:
        UsageError: It may not.
    """
    if run.info is None or first.info is None or not run.responses or run.origin is not None:
        raise UsageError(f"{run.source} is no scored run: runs alone are pooled")
    a, b = first.info, run.info
    alike = {
        "model": a.model == b.model,
        "writer": a.writer == b.writer,
        "suite": a.suite_sha256 == b.suite_sha256 or same_prompts(first, run),
        "prompts": (a.prompts["n"], a.prompts["sha256"]) == (b.prompts["n"], b.prompts["sha256"]),
        "judge": is_one_judge(a, b),
        "convention": first.convention == run.convention,
    }
    names = dict.fromkeys([*a.settings, *b.settings])
    alike |= {name: a.settings.get(name) == b.settings.get(name) for name in names if name not in OF_A_RUN}
    if b.prompts.get("samples"):
        raise UsageError(
            f"{run.source} has fewer samples of some prompts than of others: the run's own command with all "
            "of its prompts and --samples gets the rest"
        )
    if differing := [name for name, same in alike.items() if not same]:
        raise UsageError(
            f"{first.source} and {run.source} differ in {', '.join(differing)}: runs are pooled that differ "
            "in night, seed or server alone"
        )
    return b


def _samples(run: RunScores) -> int:
    """Return how many sample numbers a run takes."""
    most = 1 + max(sample for _, sample in run.responses)
    return max(most, run.info.samples if run.info else 1)


def _sums(parts: Sequence[Mapping[str, int] | None]) -> dict[str, int] | None:
    """Return the sums by key; None where one run does not say."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    return {name: sum(part.get(name, 0) for part in known) for part in known for name in part}


def _agreed(parts: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what all runs that say it say alike."""
    found: dict[str, set[Any]] = {}
    for part in parts:
        for name, value in part.items():
            found.setdefault(name, set()).add(value)
    return {name: values.pop() for name, values in found.items() if len(values) == 1}


def _made(runs: Sequence[RunScores], offsets: Sequence[int]) -> dict[Key, str]:
    return {
        (prompt, sample + offset): time
        for run, offset in zip(runs, offsets, strict=True)
        for (prompt, sample), time in run.made.items()
    }


def _ceilings(runs: Sequence[RunScores]) -> list[dict[str, Any]] | None:
    """Return each ceiling once, with all the answers that showed it; None where one run did not look."""
    if any(run.ceilings is None for run in runs):
        return None
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for ceiling in (ceiling for run in runs for ceiling in run.ceilings or ()):
        key = tuple(ceiling[name] for name in ("role", "kind", "tokens", "source"))
        count = found[key]["count"] if key in found else 0
        found[key] = {**ceiling, "count": count + ceiling["count"]}
    return list(found.values())


def _serving(parts: Sequence[Mapping[str, Any] | None]) -> dict[str, Any] | None:
    """Return who answered in all runs; None where one does not say."""
    known = [part for part in parts if part is not None]
    if len(known) < len(parts):
        return None
    found: dict[str, Any] = {}
    for name, value in known[0].items():
        values = [part[name] for part in known]
        if isinstance(value, Mapping):
            found[name] = dict(sum(map(Counter, values), Counter()))
        elif name == "added_prompt_tokens":
            found[name] = value if len(set(values)) == 1 else None
        else:
            found[name] = sum(values)
    return found
