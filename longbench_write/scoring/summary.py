"""The summary of a run: what summary.json holds, and all that tables, plots and gates read."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, NoReturn

from longbench_write.errors import RunFolderError, shorten
from longbench_write.kinds import check_kinds

SCHEMA = 1
CONVENTION = "mean"
"""S̄ is the mean of S_l and S_q, as in the paper; others multiply them or scale the mean score by 20."""


@dataclass(frozen=True, kw_only=True)
class Heading:
    """What a summary is about: two of them may only be compared where all but the model says the same.

    Attributes:
        suite_sha256: The hash of the suite's file.
        prompts: How many prompts of it the run is about ("n"), and which ("sha256", of their ids).
        samples: Responses per prompt.
        settings: How the responses were sampled: backend, temperature, max_tokens, seed.
        judge: The judge's label; None if nobody judged.
        judge_sha256: The hash of everything that makes that judge's scores comparable.
        judge_note: What must be known of that judge, wherever its scores are shown; "" for nothing.
        start: When the run began, UTC.
        note: What must be known of the run, wherever its figures are shown; "" for nothing.
    """

    model: str
    writer: str
    suite: str
    suite_version: str
    suite_sha256: str
    prompts: dict[str, Any]
    samples: int
    settings: dict[str, Any]
    judge: str | None
    judge_sha256: str | None
    judge_note: str
    start: str
    note: str


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


@dataclass(frozen=True, kw_only=True)
class Summary(Heading):
    """The figures of one run under one judge; None where a number cannot be had.

    Attributes:
        S_bar: (S_l + S_q) / 2.
        S_l: Mean length score over responses, 0 to 100.
        S_q: Mean of the six dimensions, 0 to 100, over judged responses.
        S_q_bounds: Where S_q lies if each response without a valid judgement were worth 0, or 100.
        ci: 95% bootstrap intervals over prompts, of S_bar, S_l and S_q; each group has its own.
        dimensions: Each of the six, 0 to 100.
        counts: How many responses ended how; owed = generated + generation_failed + not_generated, and
            generated = judged + judge_failed + not_judged.
        failures: Failed generations by type of error.
        judge_failures: Failed judgements by type of error.
        by_length: A row for each length range; groups by language and type have the same keys.
        range_mean: The unweighted mean of the four length ranges.
        S_l_unicode: The S_l that the Unicode-aware word count would give.
        S_l_rule: Mean rule-aware length score; None where not every prompt's length rule is known.
        usage: Tokens of the model and of the judge.
        cost: What they cost, of the model and of the judge, at the prices that the user gave.
        seconds: Wall-clock time.
    """

    S_bar: float | None
    S_l: float | None
    S_q: float | None
    S_q_bounds: list[float | None] | None
    ci: dict[str, list[float] | None]
    dimensions: dict[str, float | None]
    counts: dict[str, int]
    failures: dict[str, int]
    judge_failures: dict[str, int]
    by_length: list[dict[str, Any]]
    by_language: dict[str, dict[str, Any]]
    by_type: dict[str, dict[str, Any]]
    range_mean: dict[str, float | None]
    S_l_unicode: float | None
    usage: dict[str, dict[str, int]]
    cost: dict[str, float | None]
    seconds: float | None
    S_l_rule: float | None = None
    convention: str = CONVENTION
    schema: int = SCHEMA

    def to_json(self) -> str:
        """The text of summary.json."""
        values = asdict(self)
        ordered = {"schema": values.pop("schema"), "convention": values.pop("convention")} | values
        return json.dumps(ordered, ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Summary:
        """Read a summary.json.

        Raises:
            RunFolderError: It cannot be read, or has another schema.
        """
        try:
            values = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
            if values["schema"] != SCHEMA:
                raise RunFolderError(f"{path} has schema {values['schema']!r}, this version reads {SCHEMA}")
            known = [field.name for field in fields(cls)]
            if lacking := [name for name in known if name not in values]:
                raise RunFolderError(
                    f"{path} was written by another version, it lacks {', '.join(lacking)}: "
                    f"make it anew with `lbw-eval score {path.parent}`"
                )
            summary = cls(**{name: values[name] for name in known})
            check_kinds(summary)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise RunFolderError(f"{path} cannot be read: {shorten(str(error))}") from None
        return summary
