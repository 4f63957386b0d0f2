"""The baseline file: a run's scores without its texts, small and diffable, to be kept in git.

JSON with a line a prompt, prompts and keys sorted, so that the same run always gives the same bytes and a
diff shows the prompts that moved. Numbers keep all their digits: a baseline gives the same verdicts as its
run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from longbench_write.compare.scores import Response, Scores
from longbench_write.errors import RunFolderError, UsageError, shorten
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.records import Key
from longbench_write.scoring.summary import Heading

SCHEMA = 1
_KIND = "longbench-write baseline"


def baseline_text(scores: Scores) -> str:
    """The text of the baseline file of a run's scores.

    Raises:
        UsageError: The scores are not those of a run: there is no heading, or no response.
    """
    if scores.heading is None or not scores.responses:
        raise UsageError(f"{scores.source} holds no scored responses with a heading: name a run folder")
    prompts: dict[str, dict[str, Any]] = {}
    for response in sorted(scores.responses.values(), key=lambda response: response.key):
        line = prompts.setdefault(response.id, {"length": response.length, "samples": {}})
        line["samples"][str(response.sample)] = {
            "S_l": response.S_l,
            "dimensions": response.dimensions,
            "flags": sorted(response.flags),
            "words": response.words,
        }
    head = {
        "convention": scores.convention,
        "counts": scores.counts,
        "heading": asdict(scores.heading),
        "kind": _KIND,
        "schema": SCHEMA,
    }
    lines = ",\n".join(f"    {_json(prompt)}: {_json(line)}" for prompt, line in sorted(prompts.items()))
    opening = json.dumps(head, ensure_ascii=False, allow_nan=False, sort_keys=True, indent=2)
    return f'{opening.removesuffix("}").rstrip()},\n  "scores": {{\n{lines}\n  }}\n}}\n'


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True)


def is_baseline(path: Path) -> bool:
    """Whether a file is a baseline, and not a summary.json.

    Raises:
        RunFolderError: It cannot be read, or is no JSON object.
    """
    return _read(path).get("kind") == _KIND


def read_baseline(path: Path) -> Scores:
    """The scores that a baseline file holds.

    Raises:
        RunFolderError: It cannot be read, or has another schema.
    """
    values = _read(path)
    try:
        if values["schema"] != SCHEMA:
            raise RunFolderError(f"{path} has schema {values['schema']!r}, this version reads {SCHEMA}")
        return Scores(
            source=path,
            heading=Heading(**values["heading"]),
            convention=values["convention"],
            counts=values["counts"],
            responses=dict(_responses(values["scores"])),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunFolderError(
            f"{path} cannot be read ({shorten(repr(error))}): make it anew with `lbw-eval baseline`"
        ) from None


def _responses(lines: Mapping[str, Any]) -> list[tuple[Key, Response]]:
    found = []
    for prompt, line in lines.items():
        for sample, values in line["samples"].items():
            dimensions = values["dimensions"]
            if dimensions is not None and len(dimensions) != len(DIMENSIONS):
                raise ValueError(f"{prompt} has {len(dimensions)} dimensions")
            response = Response(
                id=prompt,
                sample=int(sample),
                length=int(line["length"]),
                words=int(values["words"]),
                S_l=float(values["S_l"]),
                dimensions=tuple(map(float, dimensions)) if dimensions else None,
                flags=frozenset(values["flags"]),
            )
            found.append((response.key, response))
    return found


def _read(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except (OSError, ValueError, RecursionError) as error:
        raise RunFolderError(f"{path} cannot be read: {shorten(str(error))}") from None
    if not isinstance(values, dict):
        raise RunFolderError(f"{path} is no baseline and no summary.json: it holds no JSON object")
    return values


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no number")
