"""The baseline file: a run's scores without its texts, small and diffable, to be kept in git.

JSON with a line a prompt, prompts and keys sorted, so that the same run always gives the same bytes and a
diff shows the prompts that moved. Numbers keep all their digits: a baseline gives the same verdicts as its
run.

Schema 2 has `metrics`, what must be known of each metric that is not built in, and in every sample `values`:
what each further metric gave for it; a prompt has `prompt_sha256` and `prompt_tokens` where they are known.
`ceilings` and `serving` are those of summary.json, and a sample has `cut_by` and `suspect` where they say
something; a file without `ceilings` does not know what its server did. Schema 1 is read too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, NotRequired

from annotated_types import Ge, Le, Len, Predicate
from typing_extensions import TypedDict

from longbench_write.compare.scores import Response, RunScores
from longbench_write.errors import RunFolderError, UsageError, shorten
from longbench_write.files.jsonl import read_object
from longbench_write.files.schema import (
    Count,
    Number,
    Score,
    check_plain,
    check_schema,
    check_values,
    known_names,
)
from longbench_write.metrics.base import Metric, complete
from longbench_write.metrics.catalogue import BUILT_IN, read_declarations
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import DIMENSIONS, S_BAR, S_Q, SIX
from longbench_write.records import Key
from longbench_write.scoring.shapes import (
    CeilingShape,
    CountsShape,
    DeclarationShape,
    InfoShape,
    Positive,
    ServingShape,
    check_counts,
)
from longbench_write.scoring.summary import RunInfo

SCHEMA = 2
_KIND = "longbench-write baseline"


class SampleShape(TypedDict):
    """What a baseline has of a response."""

    S_l: Score | None
    dimensions: Annotated[list[Annotated[float, Ge(SIX.low), Le(SIX.high)]], Len(6, 6)] | None
    flags: list[str]
    values: NotRequired[dict[str, Number]]
    words: Count
    cut_by: NotRequired[Literal["limit", "server", "unknown"]]
    suspect: NotRequired[list[str]]


class PromptShape(TypedDict):
    """What a baseline has of a prompt: its responses by the sample's number."""

    length: Positive | None
    samples: dict[Annotated[str, Predicate(str.isdecimal)], SampleShape]
    prompt_sha256: NotRequired[str]
    prompt_tokens: NotRequired[Count]


@dataclass(frozen=True)
class BaselineShape:
    """The values that are read of a baseline."""

    convention: str
    counts: CountsShape | None
    heading: dict[str, Any]
    scores: Annotated[dict[str, PromptShape], Len(1)]
    metrics: dict[str, DeclarationShape] = field(default_factory=dict)
    ceilings: list[CeilingShape] | None = None
    serving: ServingShape | None = None


def baseline_text(scores: RunScores) -> str:
    """Return the text of the baseline file of a run's scores.

    Raises:
        UsageError: The scores are not those of a run, or there is no response.
    """
    if scores.info is None or not scores.responses:
        raise UsageError(f"{scores.source} is no scored run: name a run folder")
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
        }
        if response.id in scores.prompt_hashes:
            line["prompt_sha256"] = scores.prompt_hashes[response.id]
        if response.id in scores.prompt_tokens:
            line["prompt_tokens"] = scores.prompt_tokens[response.id]
    head: dict[str, Any] = {
        "convention": scores.convention,
        "counts": scores.counts,
        "heading": asdict(scores.info),
        "kind": _KIND,
        "metrics": {metric.name: metric.declaration() for metric in scores.metrics},
        "schema": SCHEMA,
    }
    if scores.ceilings is not None:
        head |= {"ceilings": scores.ceilings, "serving": scores.serving}
    lines = ",\n".join(f"    {_json(prompt)}: {_json(line)}" for prompt, line in sorted(prompts.items()))
    opening = json.dumps(head, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=2)
    return f'{opening.removesuffix("}").rstrip()},\n  "scores": {{\n{lines}\n  }}\n}}\n'


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
        RunFolderError: It cannot be read, is no JSON object, or is of a kind that is neither.
    """
    values = _read(path)
    if values.get("kind", _KIND) != _KIND:
        raise RunFolderError(f"{path}: its kind is not {_KIND!r}: make it anew with `lbw-eval baseline`")
    return "kind" in values


def read_baseline(path: Path) -> RunScores:
    """Return the scores that a baseline file holds.

    Raises:
        RunFolderError: It cannot be read, or has another schema.
    """
    values = _read(path)
    try:
        check_schema(path, values["schema"], SCHEMA)
        check_plain(values)
        check_values(BaselineShape, values)
        check_counts(values["counts"] or {})
        _check_fits(values["counts"] or {}, values["scores"])
        metrics = read_declarations(values.get("metrics", {}))
        return RunScores(
            source=path,
            info=_info(values["heading"]),
            convention=values["convention"],
            counts=values["counts"],
            responses=dict(_responses(values["scores"], metrics)),
            metrics=metrics,
            kept_hashes=_kept(values["scores"], "prompt_sha256"),
            kept_tokens=_kept(values["scores"], "prompt_tokens"),
            ceilings=values.get("ceilings"),
            serving=values.get("serving"),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFolderError(
            f"{path} cannot be read ({shorten(str(error))}): make it anew with `lbw-eval baseline`"
        ) from None


def _check_fits(counts: Mapping[str, int], scores: Mapping[str, Any]) -> None:
    """Check that there are as many responses, and as many judged ones, as the counts say.

    Raises:
        ValueError: There are not.
    """
    samples = [sample for prompt in scores.values() for sample in prompt["samples"].values()]
    if counts.get("generated", len(samples)) != len(samples):
        raise ValueError(f"counts.generated is {counts['generated']}, and there are {len(samples)} responses")
    judged = sum(sample["dimensions"] is not None for sample in samples)
    if judged and counts.get("judged", judged) != judged:  # other criteria than the six leave no dimensions
        raise ValueError(f"counts.judged is {counts['judged']}, and {judged} responses have dimensions")


def _kept(lines: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what the prompts that have it say under a key."""
    return {prompt: line[name] for prompt, line in lines.items() if name in line}


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
        raise RunFolderError(f"{path} cannot be read: {shorten(str(error))}") from None
