"""A run folder's results: scores.csv and summary.json from its records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

from longbench_write.backends.hashes import canonical_sha256
from longbench_write.errors import RunFolderError, shorten, unknown_name
from longbench_write.files.schema import check_values
from longbench_write.files.whole import write_whole
from longbench_write.metrics.catalogue import all_metrics
from longbench_write.records import Judgement, Key, Usage
from longbench_write.runs.ceiling_watch import answer_log
from longbench_write.runs.discarded import discarded_judgements, discarded_predictions
from longbench_write.runs.folder import MANIFEST, SCORES, SUMMARY
from longbench_write.runs.lock import lock_run_folder
from longbench_write.runs.store import Run, load_run
from longbench_write.runs.turn import Turn, in_turn
from longbench_write.runs.unread import unread_judgements
from longbench_write.scoring.flags import ResponseFlags
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.summary import RunInfo, Summary, unknown_keys
from longbench_write.scoring.table import scores_csv
from longbench_write.serving.answered import ServingLog, reasoning_is_off
from longbench_write.serving.answers import AnswerLog
from longbench_write.serving.prompts_read import PromptsRead
from longbench_write.serving.suspect_log import SuspectLog

_SETTINGS = ("temperature", "max_tokens", "seed")
_DIGITS = 12
"""Of a hash, which are enough to tell two apart."""

_LONGEST_SETTING = 60
"""Characters of a setting that stands in tables as it is."""


def _asked_with(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else was in force, where run.yaml says it: sampling, template, date, the model's commit."""
    prompts, engine = manifest.get("prompt_format") or {}, manifest.get("engine") or {}
    found = {
        **(manifest.get("sampling") or {}),
        "template": (prompts.get("template_sha256") or "")[:_DIGITS] or None,
        "date": prompts.get("date"),
        "commit": (engine.get("commit") or "")[:_DIGITS] or None,
    }
    return {name: value for name, value in found.items() if value is not None and name not in _SETTINGS}


def score_run(path: str | Path, *, judge: str | None = None, turn: Turn | None = None) -> Summary:
    """Score a run folder's records anew and write scores.csv and summary.json.

    Args:
        path: The run folder.
        judge: The label of the judge whose judgements count; None takes the last that judged.
        turn: How long another process that works in the folder is waited for; None for not at all.

    Raises:
        UsageError: It is no run folder, or that judge has judged nothing in it.
        FolderInUseError: Another process works in it still.
        RunFolderError: Its records cannot be read, or the results cannot be written.
    """
    folder = load_run(path).path

    def scored() -> Summary:
        with lock_run_folder(folder):
            return write_results(folder, judge=judge)

    return in_turn(scored, turn)


def write_results(
    path: Path,
    *,
    judge: str | None = None,
    response_flags: Mapping[Key, ResponseFlags] = MappingProxyType({}),
) -> Summary:
    """As `score_run`, for a folder that the caller holds.

    Args:
        path: The run folder.
        judge: As for `score_run`.
        response_flags: What responses show, of those of which the caller knows it.
    """
    run = load_run(path)
    judges = run.manifest["judges"]
    label = judge or run.manifest["judge"]
    if judge is None and not any(judgement.judge == label for judgement in run.judgements):
        label = None
    elif label not in judges:
        raise unknown_name("judge of this run", str(label), judges)
    kept = unknown_keys(path / SUMMARY)
    metrics = all_metrics()
    card = _card(run.manifest, label)
    answers = answer_log(run.manifest, judge_asked=card.get("max_tokens"))
    served = _serving_log(run.manifest)
    spoilt = SuspectLog()
    for step in run.steps:
        answers.add_step(step)
        served.add_step(step)
        spoilt.add_step(step)
    judgements = answers.watch_judgements(_that_count(run, label))
    summary, rows = summarise(
        _info_of(path, run.manifest, label),
        spoilt.watch(served.watch(answers.watch(run.predictions))),
        served.watch_judgements(judgements),
        owed=run.manifest["owed"],
        seconds=run.manifest["seconds"],
        price=run.manifest["config"].get("price"),
        repeats=card.get("repeats", 0),
        combine=card.get("combine", "mean"),
        ranges=run.manifest["suite"].get("ranges"),
        response_flags=response_flags,
        metrics=metrics,
        further=_further_usage(run, label, answers),
        cut_by=answers.cut_by,
        suspects=spoilt.suspects,
    )
    ceilings = answers.ceilings
    summary = replace(
        summary,
        writer_config=run.manifest.get("writer_config"),
        ceilings=[asdict(ceiling) for ceiling in ceilings],
        reach=answers.reach(ceilings),
        serving=served.to_dict(),
        control_tokens=served.control_tokens,
        unknown=kept,
    )
    write_whole(path / SCORES, scores_csv(rows, metrics))
    write_whole(path / SUMMARY, summary.to_json())
    return summary


def _that_count(run: Run, judge: str | None) -> Iterator[Judgement]:
    """Yield a judge's judgements; in the place of those of prompts that were not read whole, failures.

    A session leaves none of those, unless it was killed.
    """
    if judge is None:
        return
    prompts = PromptsRead()
    for record in run.judgements:
        if record.judge == judge:
            prompts.add(record.prompt_size)
    cut = prompts.settle()
    for record in run.judgements:
        if record.judge == judge:
            yield next(unread_judgements([record], prompts), record) if cut else record


def _serving_log(manifest: Mapping[str, Any]) -> ServingLog:
    """Begin a log of who answered in a run that is asked for as its run.yaml says."""
    config = manifest["config"]
    return ServingLog(
        random=config.get("temperature") not in (0, 0.0),
        reasoning_off=reasoning_is_off(config),
        system=config.get("system") or "",
    )


def _further_usage(run: Run, judge: str | None, answers: AnswerLog) -> Iterator[tuple[str, Usage]]:
    """Yield whose tokens were paid for beyond the responses and judgements that count, and how many.

    Args:
        run: The run.
        judge: Whose judgements count.
        answers: Takes the answers to prompts that were not read whole.
    """
    planner = "planner" if "planner" in run.manifest else "model"
    for step in run.steps:
        yield planner if step.role == "planner" else "model", step.usage
    for response in discarded_predictions(run.path):
        answers.add_unread(response)
        plans = response.unread is not None and response.unread["role"] == "planner"
        yield planner if plans else "model", response.usage or {}
    for judgement in discarded_judgements(run.path):
        if judgement.judge == judge:
            yield "judge", judgement.usage or {}


def _card(manifest: Mapping[str, Any], label: str | None) -> Mapping[str, Any]:
    """What run.yaml says of how a judge was asked; nothing where that is not known."""
    return (manifest["judges"][label].get("card") if label else None) or {}


def _info_of(path: Path, manifest: Mapping[str, Any], label: str | None) -> RunInfo:
    try:
        info = _info(manifest, label)
        check_values(RunInfo, vars(info))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        told = shorten(str(error), 100)
        raise RunFolderError(
            f"{path / MANIFEST} was changed and cannot be used ({told}): fix it, "
            "or start another run with --fresh"
        ) from None
    return info


def _requested(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else each request had: fields under their names, and what is long by its hash."""
    fields = {
        "system": config.get("system"),
        "extra_body": config.get("extra_body"),
        **(config.get("gen") or {}),
    }
    found = {}
    for name, value in fields.items():
        if value in (None, {}):
            continue
        plain = value if isinstance(value, (str, int, float)) else json.dumps(value, sort_keys=True)
        long = isinstance(plain, str) and len(plain) > _LONGEST_SETTING
        found[name] = f"sha256 {canonical_sha256(value)[:8]}" if long else plain
    return found


def _info(manifest: Mapping[str, Any], label: str | None) -> RunInfo:
    suite, config = manifest["suite"], manifest["config"]
    judge: dict[str, Any] = manifest["judges"][label] if label else {}
    return RunInfo(
        model=manifest["model"],
        writer=manifest["writer"],
        suite=suite["name"],
        suite_version=suite["version"],
        suite_sha256=suite["sha256"],
        prompts=manifest["prompts"],
        samples=config["samples"],
        settings={
            "backend": manifest["backend"]["kind"],
            **{name: config[name] for name in _SETTINGS},
            **_asked_with(manifest),
            **_requested(config),
        },
        judge=label,
        judge_sha256=judge.get("config_sha256"),
        judge_backend_sha256=judge.get("backend_sha256"),
        judge_note=judge.get("note", ""),
        start=manifest["start"],
        note=manifest.get("note", ""),
    )
