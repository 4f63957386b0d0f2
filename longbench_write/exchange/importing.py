"""Another harness's predictions and judgements become a run folder of ours."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from longbench_write.backends.reasoning import split_reasoning
from longbench_write.errors import UsageError, shorten, unknown_name
from longbench_write.exchange.evalscope import read_evalscope
from longbench_write.exchange.other_suites import Task, suite_of
from longbench_write.exchange.pairing import mispaired
from longbench_write.exchange.reference import read_reference
from longbench_write.exchange.sources import Answer, Source
from longbench_write.judging.reply import read_reply
from longbench_write.metrics.catalogue import HEADLINES
from longbench_write.metrics.length import count_words
from longbench_write.records import Failure, Judgement, Key
from longbench_write.runs.folder import MANIFEST, SUMMARY, digest, run_parent
from longbench_write.runs.manifest import imported_manifest
from longbench_write.runs.predictions import answered_prediction
from longbench_write.runs.results import score_run, write_results
from longbench_write.runs.store import RunWriter, load_run
from longbench_write.runs.turn import Turn, in_turn
from longbench_write.scoring.figures import value_in
from longbench_write.scoring.summary import Summary
from longbench_write.suites.suite import Prompt, Suite, load_suite

READERS: Mapping[str, Callable[[Path], Source]] = {
    "reference": read_reference,
    "evalscope": read_evalscope,
}
"""Whose files can be read."""

DEFAULT_LABEL = "reference-judge"
"""What an imported judge is called where nobody says who it was."""

_ROUNDING = 1e-6
"""How far figures may lie apart that were computed in another order."""


_Slot = tuple[Prompt, int]
"""A prompt and a sample number."""


@dataclass(frozen=True)
class Imported:
    """What came of an import.

    Attributes:
        path: The run folder.
        summary: Its summary.
        notes: What the user should know, a sentence each.
    """

    path: Path
    summary: Summary
    notes: list[str]


def import_run(
    place: Path,
    harness: str,
    *,
    out: Path,
    suite: str = "longbench-write",
    model: str | None = None,
    judge_label: str | None = None,
    samples: int = 1,
    writer: str = "direct",
    turn: Turn | None = None,
) -> Imported:
    """Make a run folder of another harness's files and score it; the same files again change nothing.

    Every prompt of the suite is owed: what the files do not answer counts as not generated, what they do not
    judge as not judged.

    Args:
        place: The folder or file that the other harness wrote.
        harness: Whose files they are, one of `READERS`.
        out: The folder for runs.
        suite: The suite that they answer, by name or path; prompts are matched by their exact text.
        model: The model's name; None takes the name of the files' folder.
        judge_label: What their judge is called in the run.
        samples: Responses that each prompt may have.
        writer: How the responses were written; "direct" is one request each.
        turn: How long another process that works in the run folder is waited for; None for not at all.

    Raises:
        UsageError: The files cannot be read, or are no answers to this suite; it names file and line.
        RunFolderError: The run folder cannot be written.
    """
    source = _read(place, harness)
    if judge_label and not source.judged:
        raise UsageError(f"{place} has no judgement of a single response: leave --judge-label out")
    if not (name := model or source.model):
        raise UsageError(f"{place} does not say which model wrote it: name it with --model")
    prompts = load_suite(suite)
    answers = _assign(source.answers, prompts, samples)
    label = (judge_label or DEFAULT_LABEL) if source.judged else None
    identity: dict[str, Any] = {"from": harness, "files": source.files, "model": name}
    identity |= {"suite": prompts.sha256, "samples": samples, "judge": label}
    if writer != "direct":  # runs imported before writers were told apart keep their folders
        identity["writer"] = writer
    path = run_parent(out, name, prompts.name) / f"imported-{digest(identity)}"
    if (path / MANIFEST).exists():
        return _imported_before(path, turn)
    judgements = _judgements(source.judged, answers, label) if label else []
    pairing = _pairing(answers)
    notes = [*_notes(source, pairing), *_judging_notes(source, judgements)]
    about = {"from": harness, "files": source.files, "reported": source.reported, "pairing": pairing}
    said = " ".join(notes)
    manifest = imported_manifest(
        name, prompts, samples=samples, judge=label, about=about, note=said, writer=writer
    )
    summary = in_turn(partial(_record, path, manifest, answers, judgements, prompts), turn)
    notes += _differences(source.reported, summary) + _other_suite(answers, prompts)
    return Imported(path, summary, notes)


def _read(place: Path, harness: str) -> Source:
    if harness not in READERS:
        raise unknown_name("--from", harness, READERS)
    source = READERS[harness](place)
    if not source.answers:
        raise UsageError(f"{place} has no responses: give a JSONL file with one a line")
    return source


def _record(
    path: Path,
    manifest: Mapping[str, Any],
    answers: Mapping[Key, tuple[_Slot, Answer]],
    judgements: Sequence[Judgement],
    suite: Suite,
) -> Summary:
    """Write the run folder, or what an import that was cut off left to write; run.yaml comes last."""
    with RunWriter(path, writing=False, judge=None) as run:
        for (prompt, sample), answer in answers.values():
            if (prompt.id, sample) not in run.predictions:
                text = split_reasoning(answer.response, truncated=False)
                run.predictions.append(answered_prediction(prompt, sample, *text))
        for judgement in judgements:
            if (judgement.judge, *judgement.key, judgement.repeat) not in run.judgements:
                run.judgements.append(judgement)
        samples = range(manifest["config"]["samples"])
        run.sort([(prompt.id, sample) for prompt in suite.prompts for sample in samples])
        run.write_manifest(manifest)
        return write_results(path)


def _imported_before(path: Path, turn: Turn | None) -> Imported:
    """Return the run that these files have become before."""
    manifest = load_run(path).manifest
    summary = Summary.read(path / SUMMARY) if (path / SUMMARY).exists() else score_run(path, turn=turn)
    said = [manifest["note"]] if manifest.get("note") else []
    return Imported(path, summary, [*said, f"these files were imported before: {path} is as it was"])


def _assign(answers: Sequence[Answer], suite: Suite, samples: int) -> dict[Key, tuple[_Slot, Answer]]:
    """Return each answer's prompt and sample, by the prompt's text and required length.

    Raises:
        UsageError: The suite has no such prompt, or a prompt has more answers than samples; it is named.
    """
    free: dict[tuple[str, int | None], list[_Slot]] = defaultdict(list)
    for prompt in suite.prompts:
        free[prompt.prompt, prompt.length] += [(prompt, sample) for sample in range(samples)]
    lengths = {prompt.prompt: prompt.length for prompt in suite.prompts}
    assigned: dict[Key, tuple[_Slot, Answer]] = {}
    first: dict[tuple[str, int | None], str] = {}
    for answer in answers:
        task = answer.prompt, answer.length
        if task not in free:
            known = suite_of({(each.prompt, each.length) for each in answers}, suite)
            other = f"--suite {known}" if known else "--suite NAME"
            raise UsageError(f"{answer.where}: {_unknown(answer, suite, lengths)}; name another with {other}")
        if not free[task]:
            raise UsageError(
                f"{answer.where} answers the prompt of {first[task]} again: remove one of them, "
                f"or say --samples {samples + 1}"
            )
        first.setdefault(task, answer.where)
        prompt, sample = free[task].pop(0)
        assigned[prompt.id, sample] = (prompt, sample), answer
    return assigned


def _unknown(answer: Answer, suite: Suite, lengths: Mapping[str, int | None]) -> str:
    if answer.prompt in lengths:
        asked = lengths[answer.prompt] or "none"
        return f"its length is {answer.length or 'null'}, suite {suite.name} asks for {asked} there"
    return f"suite {suite.name} has no prompt {shorten(answer.prompt, 60)!r}"


def _judgements(
    judged: Sequence[Answer], answers: Mapping[Key, tuple[_Slot, Answer]], label: str
) -> list[Judgement]:
    """Return the records of what a judge said; what it said more than once of a response are its repeats.

    Raises:
        UsageError: It judged a response that is not there; the line is named.
    """
    keys: dict[tuple[str, int | None, str], list[Key]] = defaultdict(list)
    for key, (_, answer) in answers.items():
        keys[answer.prompt, answer.length, answer.response].append(key)
    seen: dict[tuple[str, int | None, str], int] = defaultdict(int)
    records = []
    for answer in judged:
        what = answer.prompt, answer.length, answer.response
        if what not in keys:
            raise UsageError(
                f"{answer.where} judges a response that the predictions do not have: import either file alone"
            )
        repeat, place = divmod(seen[what], len(keys[what]))
        seen[what] += 1
        records.append(_judgement(keys[what][place], repeat, label, answer.scores or {}))
    return records


def _judgement(key: Key, repeat: int, label: str, scores: dict[str, Any]) -> Judgement:
    """Read a judge's reply by our rule: six integers from 1 to 5, or the reason that they are not."""
    raw = json.dumps(scores, ensure_ascii=False)
    reply = read_reply(raw)
    return Judgement(
        id=key[0],
        sample=key[1],
        judge=label,
        repeat=repeat,
        scores=reply.scores,
        analysis=reply.analysis,
        raw=raw,
        error=None if reply.scores else Failure(reply.kind, reply.reason, final=True),
        usage=None,
        seconds=None,
        tries=1,
    )


def _pairing(answers: Mapping[Key, tuple[_Slot, Answer]]) -> dict[str, Any]:
    """Count the responses checked for answering their own prompts, and name those that seem not to."""
    suspicious = mispaired(
        [answer.prompt for _, answer in answers.values()], [answer.response for _, answer in answers.values()]
    )
    keys = list(answers)
    return {"checked": len(answers), "suspicious": [keys[place][0] for place in suspicious]}


def _other_suite(answers: Mapping[Key, tuple[_Slot, Answer]], suite: Suite) -> list[str]:
    """Return what to say where a smaller suite has all that was answered."""
    tasks: set[Task] = {(answer.prompt, answer.length) for _, answer in answers.values()}
    if len(tasks) == len(suite.prompts) or not (other := suite_of(tasks, suite)):
        return []
    return [
        f"all {len(tasks)} prompts are in {other}, too: for its figures import them with --suite {other}; of "
        f"{suite.name}, {len(suite.prompts) - len(tasks)} prompts count as not generated."
    ]


def _notes(source: Source, pairing: Mapping[str, Any]) -> list[str]:
    notes = list(source.notes)
    if pairing["suspicious"]:
        number, ids = len(pairing["suspicious"]), ", ".join(pairing["suspicious"][:5])
        notes.append(
            f"WARNING: {number} of {pairing['checked']} responses fit another prompt of these files better "
            f"than their own ({ids}{', ...' if number > 5 else ''}): they seem to be mispaired, and no score "
            "of mispaired responses means anything."
        )
    if reasoning := sum(split_reasoning(a.response, truncated=False)[1] != "" for a in source.answers):
        notes.append(
            f"{reasoning} responses had reasoning in them, which was taken out; their judge had read it."
        )
    miscounted = sum(a.response_length not in (None, count_words(a.response)) for a in source.answers)
    if miscounted:
        notes.append(
            f"{miscounted} responses have another length than their file says; they were counted anew."
        )
    return notes


def _judging_notes(source: Source, judgements: Sequence[Judgement]) -> list[str]:
    notes = []
    if invalid := sum(judgement.scores is None for judgement in judgements):
        notes.append(
            f"{invalid} judgements are not six integers from 1 to 5 and count as failed; "
            f"{source.harness} counted them as they were."
        )
    if repeats := sum(judgement.repeat > 0 for judgement in judgements):
        notes.append(f"{repeats} judgements are of a response that was judged before, and count as repeats.")
    return notes


def _differences(reported: Mapping[str, float], summary: Summary) -> list[str]:
    """Say where our figures are not those that the other harness reported."""
    return [
        f"{metric.name} is {ours:.2f} here, {reported[metric.name]:.2f} in the imported files."
        for metric in HEADLINES
        if metric.name in reported
        and (ours := value_in(summary.overall, metric)) is not None
        and abs(ours - reported[metric.name]) > _ROUNDING
    ]
