"""The baseline file: a run's scores without its texts, small and diffable, to be kept in git.

JSON with a line a prompt, prompts and keys sorted, so that the same run always gives the same bytes and a
diff shows the prompts that moved. Numbers keep all their digits: a baseline gives the same verdicts as its
run.

Schema 2 has a `digest` over the content, so that nothing in it changes without a word, and says where the
scores come from (see `Origin`). `metrics` has what must be known of each metric that is not built in, and in
every sample `values` what each further metric gave for it; a prompt has `prompt_sha256`, `prompt_tokens` and
`content` (see `RunScores`) where they are known, and a sample when it was `made`. `ceilings` and `serving`
are those of summary.json, and a sample has `cut_by` and `suspect` where they say something; a file without
`ceilings` does not know what its server did. Schema 1 is read too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from longbench_write.compare.baseline_shape import SCHEMA, check_baseline, digest_of
from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.origin import Origin
from longbench_write.compare.scores import Response, RunScores
from longbench_write.errors import RunFolderError, UsageError, shorten
from longbench_write.files.json_object import read_object
from longbench_write.files.schema import check_schema, check_values, known_names
from longbench_write.metrics.base import Metric, complete
from longbench_write.metrics.catalogue import BUILT_IN, HEADLINES, read_declarations
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import DIMENSIONS, S_BAR, S_Q, SIX
from longbench_write.records import Key
from longbench_write.runs.folder import MANIFEST
from longbench_write.runs.manifest_file import read_manifest
from longbench_write.scoring.shapes import InfoShape
from longbench_write.scoring.summary import RunInfo

_KIND = "longbench-write baseline"


def baseline_text(scores: RunScores, *, follows: Origin | None = None, incomplete: bool = False) -> str:
    """Return the text of the baseline file of a run's scores.

    Args:
        scores: The run's.
        follows: Of the baseline that it replaces; None where it is the first of its chain.
        incomplete: Whether it is made although more responses lack a score than are allowed to.

    Raises:
        UsageError: The scores are not those of a run, or there is no response.
        RunFolderError: The run's run.yaml cannot be read.
    """
    if scores.info is None or not scores.responses:
        raise UsageError(f"{scores.source} is no scored run: name a run folder")
    prompts = _prompts(scores)
    head: dict[str, Any] = {
        "convention": scores.convention,
        "counts": scores.counts,
        "heading": asdict(scores.info),
        "kind": _KIND,
        "metrics": {metric.name: metric.declaration() for metric in scores.metrics},
        "schema": SCHEMA,
        **_made_of(scores, scores.info),
        **_made_with(scores, scores.info),
        "incomplete": incomplete,
        "parent": follows.digest if follows else None,
        "first": follows.first if follows else None,
        "first_made": follows.first_made if follows else scores.info.start,
        "first_figures": follows.first_figures if follows else figures_of(scores),
    }
    if scores.ceilings is not None:
        head |= {"ceilings": scores.ceilings, "serving": scores.serving}
    digest = digest_of(head | {"scores": prompts})
    head |= {"digest": digest, "first": head["first"] or digest}
    lines = ",\n".join(f"    {_json(prompt)}: {_json(line)}" for prompt, line in sorted(prompts.items()))
    opening = json.dumps(head, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=2)
    return f'{opening.removesuffix("}").rstrip()},\n  "scores": {{\n{lines}\n  }}\n}}\n'


def figures_of(scores: RunScores) -> dict[str, float]:
    """Return the means that a chain of baselines is followed by, of the metrics that the scores have."""
    metrics = map(MetricInRange, (*HEADLINES, *scores.metrics))
    means = {str(metric): metric.mean(scores) for metric in metrics}
    return {name: mean for name, mean in means.items() if mean is not None}


def _prompts(scores: RunScores) -> dict[str, dict[str, Any]]:
    """Return what a baseline keeps of each prompt, by id."""
    prompts: dict[str, dict[str, Any]] = {}
    for response in sorted(scores.responses.values(), key=lambda response: response.key):
        line = prompts.setdefault(response.id, {"length": response.length, "samples": {}})
        line["samples"][str(response.sample)] = {
            S_L.name: response.values.get(S_L.name),
            "dimensions": _dimensions(response),
            "flags": sorted(response.flags),
            "values": _further(response),
            "words": response.words,
            **_server(response),
            **({"made": scores.made[response.key]} if response.key in scores.made else {}),
        }
        if response.id in scores.prompt_hashes:
            line["prompt_sha256"] = scores.prompt_hashes[response.id]
        if response.id in scores.prompt_tokens:
            line["prompt_tokens"] = scores.prompt_tokens[response.id]
        if response.id in scores.prompt_contents:
            line["content"] = scores.prompt_contents[response.id]
    return prompts


def _made_of(scores: RunScores, info: RunInfo) -> dict[str, Any]:
    """Return of how many runs it is made, with how many samples, and when each began."""
    if scores.origin is not None:
        return {name: getattr(scores.origin, name) for name in ("runs", "run_samples", "made")}
    started = [member.info.start for member in scores.members if member.info] or [info.start]
    samples = list(scores.run_samples) or [info.samples]
    return {"runs": scores.runs, "run_samples": samples, "made": started}


def _made_with(scores: RunScores, info: RunInfo) -> dict[str, Any]:
    """Return who judged and which versions ran, as run.yaml says; a baseline's own where it is copied."""
    if scores.origin is not None:
        return {"judge": scores.origin.judge, "versions": scores.origin.versions}
    folder = scores.members[0].source if scores.members else scores.source
    if not (folder / MANIFEST).is_file():
        return {"judge": _judge(info, None, None), "versions": {}}
    manifest = read_manifest(folder)
    versions = {name: str(version) for name, version in (manifest.get("versions") or {}).items()}
    card = (manifest["judges"].get(info.judge) or {}).get("card") or {}
    return {"judge": _judge(info, card.get("repeats"), card.get("tries")), "versions": versions}


def _judge(info: RunInfo, repeats: int | None, tries: int | None) -> dict[str, Any] | None:
    if info.judge is None:
        return None
    return {"label": info.judge, "config_sha256": info.judge_sha256, "repeats": repeats, "tries": tries}


def _dimensions(response: Response) -> list[float] | None:
    """Return the six scores in their order; None if unjudged, or judged by other criteria."""
    scores = response.scores or {}
    return [scores[name] for name in DIMENSIONS] if set(DIMENSIONS) <= set(scores) else None


def _further(response: Response) -> dict[str, float]:
    """Return the values that neither S_l nor the six dimensions give."""
    known = {S_L.name, S_BAR.name} | ({S_Q.name, *DIMENSIONS} if _dimensions(response) else set())
    return {name: value for name, value in response.values.items() if name not in known}


def _server(response: Response) -> dict[str, Any]:
    """Return what the server did to a response; nothing where that is nothing."""
    found: dict[str, Any] = {"cut_by": response.cut_by} if response.cut_by else {}
    return found | ({"suspect": sorted(response.suspect)} if response.suspect else {})


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)


def is_baseline(path: Path) -> bool:
    """Return whether a file is a baseline, and not a summary.json.

    Raises:
        UsageError: It cannot be read, is no JSON object, or is of a kind that is neither.
    """
    values = _read(path)
    if values.get("kind", _KIND) != _KIND:
        raise UsageError(f"{path}: its kind is not {_KIND!r}: make it anew with `lbw-eval baseline`")
    return "kind" in values


def read_baseline(path: Path) -> RunScores:
    """Return the scores that a baseline file holds.

    Raises:
        UsageError: It cannot be read, is of a newer schema, or is not as it was made; what is wrong is named.
    """
    values = _read(path)
    try:
        check_schema(path, values["schema"], SCHEMA)
        check_baseline(values)
        metrics = read_declarations(values.get("metrics", {}))
        info = _info(values["heading"])
        if (number := len(values["scores"])) > info.prompts["n"]:
            raise ValueError(f"heading.prompts.n is {info.prompts['n']}, and there are {number} prompts")
        scores = RunScores(
            source=path,
            info=info,
            convention=values["convention"],
            counts=values["counts"],
            responses=dict(_responses(values["scores"], metrics)),
            metrics=metrics,
            kept_hashes=_kept(values["scores"], "prompt_sha256"),
            kept_tokens=_kept(values["scores"], "prompt_tokens"),
            kept_made=_made(values["scores"]),
            kept_contents=_kept(values["scores"], "content"),
            ceilings=values.get("ceilings"),
            serving=values.get("serving"),
        )
        origin = _origin(values, info, scores)
        return replace(scores, origin=origin, run_samples=origin.run_samples if origin.runs > 1 else ())
    except RunFolderError as error:
        raise UsageError(str(error)) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} cannot be used ({shorten(str(error))}): restore it from git, or make it anew with "
            "`lbw-eval baseline`"
        ) from None


def _origin(values: Mapping[str, Any], info: RunInfo, scores: RunScores) -> Origin:
    """Return where the scores come from, as far as the schema says."""
    if values["schema"] > 1:
        known = {name: values[name] for name in known_names(Origin)}
        lists = {name: tuple(values[name]) for name in ("made", "run_samples")}
        return Origin(**known | lists)
    digest = digest_of(values)
    return Origin(
        digest=digest,
        first=digest,
        first_made=info.start,
        first_figures=figures_of(scores),
        parent=None,
        runs=1,
        run_samples=(info.samples,),
        made=(info.start,),
        judge=_judge(info, None, None),
        versions={},
        incomplete=False,
    )


def _kept(lines: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what the prompts that have it say under a key."""
    return {prompt: line[name] for prompt, line in lines.items() if name in line}


def _made(lines: Mapping[str, Any]) -> dict[Key, str]:
    """Return when the responses that say so were made."""
    return {
        (prompt, int(sample)): kept["made"]
        for prompt, line in lines.items()
        for sample, kept in line["samples"].items()
        if "made" in kept
    }


def _info(heading: Mapping[str, Any]) -> RunInfo:
    """Return what a baseline is about; keys of other versions are passed over."""
    known = {name: heading[name] for name in known_names(RunInfo) if name in heading}
    check_values(RunInfo, known)
    check_values(InfoShape, known)
    return RunInfo(**known)


def _responses(lines: Mapping[str, Any], metrics: Sequence[Metric]) -> list[tuple[Key, Response]]:
    found = []
    for prompt, line in lines.items():
        for sample, kept in line["samples"].items():
            scores = _scores(kept["dimensions"])
            values = {name: float(value) for name, value in kept.get("values", {}).items()}
            if (length := line["length"]) is not None:
                if kept[S_L.name] is None:
                    raise ValueError(f"scores.{prompt}.samples.{sample}.{S_L.name}: there is no value")
                values[S_L.name] = float(kept[S_L.name])
            if scores:
                values |= {name: SIX.points(score) for name, score in scores.items()}
                values[S_Q.name] = SIX.quality(scores)
            response = Response(
                id=prompt,
                sample=int(sample),
                length=length,
                words=kept["words"],
                values=complete(values, (*BUILT_IN, *metrics)),
                scores=scores,
                flags=frozenset(kept["flags"]),
                cut_by=kept.get("cut_by"),
                suspect=frozenset(kept.get("suspect", ())),
            )
            found.append((response.key, response))
    return found


def _scores(dimensions: Sequence[float] | None) -> dict[str, float] | None:
    if not dimensions:
        return None
    return dict(zip(DIMENSIONS, map(float, dimensions), strict=True))


def _read(path: Path) -> dict[str, Any]:
    try:
        return read_object(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {shorten(str(error))}") from None
