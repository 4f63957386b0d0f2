"""The summary of a run: what summary.json holds, and all that tables, plots and gates read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from longbench_write.errors import RunFolderError, shorten
from longbench_write.files.json_object import read_object
from longbench_write.files.schema import check_schema, check_values, known_names
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import BESIDE, BUILT_IN, HEADLINES, merged, read_declarations
from longbench_write.metrics.quality import MEAN
from longbench_write.scoring.shapes import check_summary
from longbench_write.suites.cards import card_of_file

if TYPE_CHECKING:
    import pandas as pd

SCHEMA = 2
"""2 added the fields of `Summary` that have a default; 1 is read too."""
CONVENTION = MEAN
GROUP_FIGURES = (
    *(metric.name for metric in HEADLINES),
    "S_l_bounds",
    "S_q_bounds",
    "ci",
    "dimensions",
    *(metric.name for metric in BESIDE),
    "metrics",
)
"""The figures that a summary has over all and in each of its groups."""


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    """What a summary is about: two of them may only be compared where all but the model says the same.

    Attributes:
        suite_sha256: The hash of the suite's file.
        prompts: How many prompts of it the run is about ("n"), and which ("sha256", of their ids); where not
            all have the same number of samples, also those that have fewer ("samples", by id).
        samples: Responses per prompt, the most that any has.
        settings: How the responses were asked for: backend, temperature, max_tokens, seed, and what else the
            requests had; where run.yaml says it, all sampling in force, the chat template's hash, its date
            and the model's commit.
        judge: The judge's label; None if nobody judged.
        judge_sha256: The hash of everything that makes that judge's scores comparable.
        judge_backend_sha256: The hash of what else is known of it: the kind of backend, the model that a
            server says it serves, local weights. None where that is not known: it compares with nothing.
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
    judge_backend_sha256: str | None = None

    def samples_of(self, prompt: str) -> int:
        """Return how many responses to a prompt of the run were asked for."""
        return int(self.prompts.get("samples", {}).get(prompt, self.samples))


@dataclass(frozen=True, kw_only=True)
class Summary(RunInfo):
    """The figures of one run under one judge; None where a number cannot be had.

    Attributes:
        S_bar: What `convention` forms of S_l and S_q.
        S_l: Mean length score over responses, 0 to 100.
        S_q: Mean of the six dimensions, 0 to 100, over judged responses.
        S_q_bounds: Where S_q lies if each response without a valid judgement were worth 0, or 100.
        ci: 95% intervals over prompts, by metric, those of the dimensions under `dimensions` and those of
            `range_mean` under that; each group has its own, but for the last.
        dimensions: Each of the six, 0 to 100.
        counts: How many responses ended how; owed = generated + generation_failed + not_generated, and
            generated = judged + judge_failed + not_judged. Of what is owed, `remaining` responses and
            `judgements_remaining` of those that are there would be asked for again; `incomplete` prompts have
            some of their samples and lack others. `limit_spent_on_reasoning` truncated responses spent over
            half of their tokens on reasoning.
        failures: Failed generations by type of error.
        judge_failures: Failed judgements by type of error.
        by_length: A row for each length range; groups by language and type have the same keys.
        range_mean: The unweighted mean of the four length ranges.
        S_l_unicode: The S_l that the Unicode-aware word count would give.
        S_l_rule: Mean rule-aware length score; None where not every prompt's length rule is known.
        S_l_bounds: Where S_l lies if each failed response were worth 0, or 100.
        metrics: Every metric that has no key of its own, by name: its value and interval, and what must be
            known to read them (see `Metric.declaration`); each group has its own.
        ci_method: How the intervals are made.
        weighted: The headlines, and their `ci`, by the suite's own shares of the length ranges, which a
            selection of its `prompts` does not have; None where those are not known, or a range has no score.
        judges: The figures of each judge, by its label.
        panel: Those of the judges together.
        calibrated: S_q corrected by people's scores.
        writer_config: The writer's settings.
        steps: Of the responses that were planned, the `number` of their steps and the words that were
            `required`, `planned` and `written`; None where the writer makes no plans.
        ceilings: How many tokens servers let through, as `serving.cuts.Ceiling` has them; none where nothing
            was cut.
        reach: What the writer's ceiling leaves: `prompts` whose required lengths lie above it, and `S_l` of a
            model that writes exactly what is asked, or up to it. None without a ceiling.
        serving: Who answered: `models`, `providers` and `judge_models` with how many answers each gave, and
            how many were `fallbacks` and `cache_hits`; `identical_samples` are prompts with samples that are
            one text, `reasoning_not_off` responses with reasoning that was asked off, `added_prompt_tokens`
            what the server adds to each prompt, where that shows.
        suspects: Responses that were probably spoilt on their way from the model: their `count`, `by_reason`
            (a response may have several), and the `S_l` without them; they are scored as they stand.
        control_tokens: How many responses, or steps of them, ended at which control token in their text.
        unknown: Keys of the file that this version does not know; they are written back.
        usage: Tokens of the model and of the judge.
        cost: What they cost, of the model and of the judge, at the prices that the user gave.
        seconds: Wall-clock time.
    """

    S_bar: float | None
    S_l: float | None
    S_q: float | None
    S_q_bounds: list[float | None] | None
    ci: dict[str, Any]
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
    S_l_rule: float | None
    convention: str = CONVENTION
    schema: int = SCHEMA
    S_l_bounds: list[float | None] | None = None
    metrics: dict[str, dict[str, Any]] = field(default_factory=dict)
    ci_method: str | None = None
    weighted: dict[str, Any] | None = None
    judges: dict[str, Any] | None = None
    panel: dict[str, Any] | None = None
    calibrated: dict[str, Any] | None = None
    writer_config: dict[str, Any] | None = None
    steps: dict[str, Any] | None = None
    ceilings: list[dict[str, Any]] = field(default_factory=list)
    reach: dict[str, Any] | None = None
    serving: dict[str, Any] | None = None
    suspects: dict[str, Any] | None = None
    control_tokens: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def others(self) -> tuple[Metric, ...]:
        """The metrics that have no key of their own, as the file declares them."""
        return read_declarations(self.metrics)

    @cached_property
    def overall(self) -> dict[str, Any]:
        """The figures over all, with the keys of a group."""
        names = {"n": self.counts["generated"], **self.counts}
        return names | {name: getattr(self, name) for name in GROUP_FIGURES}

    @cached_property
    def is_selection(self) -> bool:
        """Whether it is about some of a suite's prompts alone, as far as its card or `weighted` tells."""
        card = card_of_file(self.suite_sha256)
        whole = card.prompts if card else (self.weighted or {}).get("prompts", 0)
        return bool(self.prompts["n"] < whole)

    def frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row a group: all, each length range, language and type.

        Its index is (`by`, `group`); see `frames.groups_frame` for its columns.
        """
        from longbench_write.scoring.frames import groups_frame

        groups = [(("all", ""), self.overall)]
        groups += [(("length", group["range"]), group) for group in self.by_length]
        groups += [(("language", label), group) for label, group in self.by_language.items()]
        groups += [(("type", label), group) for label, group in self.by_type.items()]
        return groups_frame(groups, merged(BUILT_IN, self.others))

    def to_dict(self) -> dict[str, Any]:
        """Return the values of summary.json, under its keys; what they hold is shared with the summary."""
        first = {"schema": self.schema, "convention": self.convention}
        return first | {name: getattr(self, name) for name in _KEYS} | self.unknown

    def to_json(self) -> str:
        """Return the text of summary.json."""
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n"

    @classmethod
    def read(cls, path: Path) -> Summary:
        """Read a summary.json of this schema or an earlier one.

        Raises:
            RunFolderError: It cannot be read, or has a later schema.
        """
        try:
            values = _load(path)
            if lacking := [name for name in _REQUIRED if name not in values]:
                raise RunFolderError(
                    f"{path} was written by another version, it lacks {', '.join(lacking)}: "
                    f"make it anew with `lbw-eval score {path.parent}`"
                )
            known = {name: values[name] for name in _KEYS if name in values}
            check_values(cls, known)
            check_summary(values)
            summary = cls(**known, unknown=_unknown(values))
            _ = summary.others
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise RunFolderError(f"{path} cannot be read: {shorten(str(error))}") from None
        return summary


_KEYS = known_names(Summary)
_REQUIRED = tuple(
    each.name
    for each in fields(Summary)
    if (each.default, each.default_factory) == (MISSING, MISSING) or each.name in ("schema", "convention")
)
"""The keys of schema 1."""


def _load(path: Path) -> dict[str, Any]:
    """Return the values of a summary.json.

    Raises:
        RunFolderError: It has a later schema.
        OSError, ValueError, KeyError: It cannot be read.
    """
    values = read_object(path)
    check_schema(path, values["schema"], SCHEMA)
    return values


def _unknown(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _KEYS}


def unknown_keys(path: Path) -> dict[str, Any]:
    """Return what a summary.json holds under keys that this version does not know; nothing if unreadable.

    Raises:
        RunFolderError: It has a later schema.
    """
    try:
        return _unknown(_load(path))
    except (OSError, ValueError, KeyError):
        return {}
