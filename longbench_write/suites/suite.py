"""Prompt lists: the suites that have a card, any JSONL of their shape, and choosing from one."""

from __future__ import annotations

import bisect
import csv
import hashlib
import itertools
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

from longbench_write.errors import AssetError, UsageError, shorten, unknown_name
from longbench_write.files.jsonl import LineError, read_jsonl
from longbench_write.files.resources import data_root
from longbench_write.metrics.length import LENGTH_RULES, count_words
from longbench_write.suites.cards import SuiteCard, card_name, earlier_versions, load_card, suite_names

LENGTH_RANGES = ("[0,500)", "[500,2000)", "[2000,4000)", "[4000,20000]", ">20000")
"""Labels of the ranges of required length; only LongWrite-Ruler reaches the last."""
_RANGE_STARTS = (500, 2000, 4000, 20001)
LONGEST = 10**9
"""Words that a prompt may require at most."""
_KEYS_NAMED = 8
"""Keys of a line that an error lists."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """One writing task.

    Attributes:
        id: Unique within its suite.
        prompt: The instruction as the writer gets it.
        type: The kind of text.
        length: Required length in words (Chinese: characters), positive; None where the prompt asks for none,
            which no prompt of a benchmark does.
        language: Of the answer: "en", "zh", or what a file of one's own says.
        length_rule: How the prompt words its length, one of `LENGTH_RULES`; None where nobody has said.
        length_bounds: Both ends, in words, where the rule is "range"; `length` lies between them.
        length_stated: Whether the prompt names its length; where it does not, `length` is what is expected.
        mirrors: The id of the official prompt whose form it has; "" where there is none.
        topic: What it is about, unique in a suite that names its topics; "" elsewhere.
        plan: For writers that plan: the lines of a plan that the suite brings along; "" where it has none.
        answer_language: Of the answer, where the prompt asks for another than `language`; "" elsewhere.
        line: Where it stands in its file, from 1; None where no file is known.
    """

    id: str
    prompt: str
    type: str
    length: int | None
    language: str
    length_rule: str | None = None
    length_bounds: tuple[int, int] | None = None
    length_stated: bool = True
    mirrors: str = ""
    topic: str = ""
    plan: str = ""
    answer_language: str = ""
    line: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Suite:
    """A named list of prompts, in their file's order, and the sha256 of that file."""

    name: str
    version: str
    sha256: str
    prompts: tuple[Prompt, ...]

    @property
    def ranges(self) -> list[int] | None:
        """How many prompts fall into each of `LENGTH_RANGES`; None where one of them asks for no length."""
        found = [_range_of(prompt) for prompt in self.prompts]
        return None if None in found else [found.count(label) for label in LENGTH_RANGES]


def length_range(length: int) -> str:
    """Return the label of `LENGTH_RANGES` that a required length falls into."""
    return LENGTH_RANGES[bisect.bisect_right(_RANGE_STARTS, length)]


def load_suite(name_or_path: str | Path) -> Suite:
    """Load a suite by name, fetching an official file if necessary, or a JSONL file by path.

    A name may have a version, such as "lbw-open@1.0"; without one it means the current version.

    A file's line is an object with `prompt` and `length` (null where no length is asked for, which no line of
    a benchmark says) and, if wanted, `type` (else "Other"), `id` (else the file's stem and the line's
    number), `language` (else "zh" where at least a quarter of the prompt's words are ideographs, "en"
    elsewhere), `length_rule` with `length_bounds` ([low, high]) if that is "range", `length_stated` (else
    true), `mirrors`, `topic`, `plan` and `answer_language`; other keys are ignored, blank lines skipped.

    Raises:
        UsageError: There is no such suite or file, or a line is not as it must be; it names file and line.
        AssetError: An official file cannot be had, or a shipped one has been changed.
    """
    if isinstance(name_or_path, str) and (name := card_name(name_or_path)):
        card = load_card(name)
        return _load_shipped(card, card.file) if card.file else _load_official(card)
    names = suite_names()
    path = Path(os.path.expanduser(name_or_path))
    if path.is_file():
        try:
            prompts, sha256 = _read(path, path.stem, benchmark=False)
        except OSError as error:
            raise UsageError(f"{path} cannot be read ({error.strerror}): give a file that can") from None
        return Suite(path.stem, sha256[:8], sha256, prompts)
    if isinstance(name_or_path, str) and (plain := name_or_path.partition("@")[0]) in names:
        versions = [load_card(plain), *earlier_versions(plain)]
        there = ", ".join(card.full_name for card in versions)
        raise UsageError(f"there is no {name_or_path}: the versions of {plain} are {there}")
    if isinstance(name_or_path, Path) or path.suffix or os.sep in name_or_path:
        raise UsageError(
            f"there is no prompt list {path}: give the path of a JSONL file or one of {', '.join(names)}"
        )
    raise unknown_name("suite", name_or_path, names)


def _load_shipped(card: SuiteCard, file: str) -> Suite:
    path = data_root("benchmark_data") / file
    try:
        prompts, sha256 = _read(path, card.short_name)
    except OSError as error:
        raise AssetError(f"{path} cannot be read ({error.strerror}): install longbench-write again") from None
    if sha256 != card.sha256:
        raise AssetError(
            f"{path} has been changed (sha256 {sha256}, not {card.sha256}): install longbench-write again, "
            "or copy the file elsewhere and give its path"
        )
    return Suite(card.name, card.version, sha256, prompts)


def _load_official(card: SuiteCard) -> Suite:
    from longbench_write.assets import assets

    path = assets.fetch(card.asset or card.name)
    english: set[str] | None = None
    if card.english_asset:
        english = {row["prompt"] for _, row in _rows(assets.fetch(card.english_asset), hashlib.sha256())}
    prompts, sha256 = _read(path, card.short_name, english=english, types=card.types)
    return Suite(card.name, card.version, sha256, _with_rules(prompts))


def _with_rules(prompts: Sequence[Prompt]) -> tuple[Prompt, ...]:
    """Return official prompts with the rules that length_rules.csv has for them; some may have none."""
    with (data_root("benchmark_data") / "length_rules.csv").open(encoding="utf-8", newline="") as file:
        rules = {line["id"]: line for line in csv.DictReader(file)}
    return tuple(_with_rule(prompt, rules[prompt.id]) if prompt.id in rules else prompt for prompt in prompts)


def _with_rule(prompt: Prompt, line: Mapping[str, str]) -> Prompt:
    bounds = (int(line["low"]), int(line["high"])) if line["low"] else None
    stated = line["stated"] == "yes"
    return replace(prompt, length_rule=line["rule"], length_bounds=bounds, length_stated=stated)


def _read(
    path: Path,
    stem: str,
    *,
    english: set[str] | None = None,
    types: Mapping[str, str] | None = None,
    benchmark: bool = True,
) -> tuple[tuple[Prompt, ...], str]:
    """Read the prompts of a file and its sha256."""
    digest = hashlib.sha256()
    prompts: dict[str, Prompt] = {}
    for number, row in _rows(path, digest):
        where = f"{path}:{number}"
        _need_keys(row, where)
        text = _text(row, "prompt", None, where)
        default = language_of(text) if english is None else "en" if text in english else "zh"
        kind = _text(row, "type", "Other", where)
        length = None if _asks_nothing(row, where, benchmark) else _length(row["length"], "length", where)
        rule = _rule(row, where)
        prompt = Prompt(
            id=_text(row, "id", f"{stem}-{number}", where),
            prompt=text,
            type=sys.intern((types or {}).get(kind, kind)),
            length=length,
            language=sys.intern(_text(row, "language", default, where)),
            length_rule=rule,
            length_bounds=_range(row, length, where) if length and rule == "range" else None,
            length_stated=_stated(row, where),
            **{
                key: _text(row, key, None, where)
                for key in ("mirrors", "topic", "plan", "answer_language")
                if key in row
            },
            line=number,
        )
        if prompt.id in prompts:
            _refuse(where, f"the id {prompt.id!r} stands on line {prompts[prompt.id].line} too")
        prompts[prompt.id] = prompt
    if not prompts:
        raise UsageError(f"{path} has no prompts: give a JSONL file with one a line")
    return tuple(prompts.values()), digest.hexdigest()


def _rows(path: Path, digest: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each line's number and object; the digest is updated with every byte."""
    try:
        for line in read_jsonl(path, digest=digest, edited=True):
            yield line.number, line.value
    except LineError as error:
        _refuse(f"{path}:{error.number}", error.fault, error.advice)


def _need_keys(row: dict[str, Any], where: str) -> None:
    """Refuse a line of another shape, such as another benchmark's: it is told which keys it has."""
    if lacking := [key for key in ("prompt", "length") if key not in row]:
        has = ", ".join(repr(shorten(key, 40)) for key in itertools.islice(row, _KEYS_NAMED)) or "none"
        more = f" and {len(row) - _KEYS_NAMED} more" if len(row) > _KEYS_NAMED else ""
        _refuse(
            where,
            f"it lacks {' and '.join(map(repr, lacking))}; its keys are {has}{more}",
            'give each line both, such as {"prompt": "Write ...", "length": 500}; '
            "length is null where none is asked for",
        )


def _text(row: dict[str, Any], key: str, default: str | None, where: str) -> str:
    value = row.get(key, default)
    if not isinstance(value, str) or not value.strip():
        _refuse(where, f"{key} must be a text that is not empty")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        _refuse(where, f"{key} has half of a surrogate pair")
    return value


def _asks_nothing(row: dict[str, Any], where: str, benchmark: bool) -> bool:
    """Return whether a line says that its prompt asks for no length."""
    if row["length"] is not None:
        return False
    if benchmark:
        _refuse(where, "a prompt of a benchmark has a length")
    if row.get("length_rule") is not None:
        _refuse(where, "length_rule is of a length, and length is null")
    return True


def _length(value: Any, what: str, where: str) -> int:
    if type(value) is not int or not 0 < value <= LONGEST:
        said = f", not {shorten(json.dumps(value), 40)}" if isinstance(value, str | float | int) else ""
        _refuse(where, f"{what} must be a positive integer of at most {LONGEST}{said}", _advice(value))
    return value


def _advice(value: Any) -> str:
    """Say how a length is written that is a text, or a number with a fraction."""
    if isinstance(value, int):
        return "fix that line"
    text = f"{value:.0f}" if isinstance(value, float) and value.is_integer() else str(value)
    plain = re.sub(r"(?<=[0-9])[,.\u00a0' ](?=[0-9]{3}(?![0-9]))", "", text)
    if one := re.fullmatch(r"[^0-9-]*([1-9][0-9]{0,9})(\s*(?![kK千百万])[^\W\d_]+)?[^0-9\w]*", plain):
        return f"write the number alone: {one[1]}"
    if both := re.fullmatch(r"[^0-9-]*([0-9]{1,9})\s*(?:-|–|—|~|to|至|到)\s*([0-9]{1,9})[^0-9]*", plain):
        low, high = int(both[1]), int(both[2])
        return (
            f'write a range as "length": {(low + high) // 2}, "length_rule": "range", '
            f'"length_bounds": [{low}, {high}]'
        )
    return "write a number"


def _rule(row: dict[str, Any], where: str) -> str | None:
    value = row.get("length_rule")
    if value is not None and value not in LENGTH_RULES:
        _refuse(where, f"length_rule must be one of {', '.join(LENGTH_RULES)}")
    return value


def _stated(row: dict[str, Any], where: str) -> bool:
    value = row.get("length_stated", True)
    if not isinstance(value, bool):
        _refuse(where, "length_stated must be true or false")
    return value


def _range(row: dict[str, Any], length: int, where: str) -> tuple[int, int]:
    bounds = row.get("length_bounds")
    if not isinstance(bounds, list) or len(bounds) != 2:
        _refuse(where, "length_bounds must be two integers such as [450, 550]")
    low, high = (_length(bound, "each of length_bounds", where) for bound in bounds)
    if not (low <= length <= high and low < high):
        _refuse(where, "length_bounds must rise and have the length between them")
    return low, high


def _refuse(where: str, fault: str, advice: str = "fix that line") -> NoReturn:
    raise UsageError(f"{where}: {fault}; {advice}")


def language_of(text: str) -> str:
    """Return "zh" where at least a quarter of a text's words are ideographs, else "en"."""
    words = count_words(text)
    ideographs = len(re.findall(r"[\u4e00-\u9fff]", text))
    return "zh" if ideographs and 4 * ideographs >= words else "en"


def select(
    suite: Suite, *, limit: int | None = None, ids: Sequence[str] = (), length_range: str | None = None
) -> tuple[Prompt, ...]:
    """Choose prompts of a suite; the suite's order is kept.

    Args:
        suite: Where from.
        limit: So many at most, evenly over the length ranges and about evenly spaced within each. Limits are
            nested: what a smaller one chooses is among what a larger one does.
        ids: Only these.
        length_range: Only required lengths such as "2000-4000": from the first number on, below the second,
            which itself belongs to it only if no prompt of the suite requires more.

    Raises:
        UsageError: An id or range is not to be had, the limit is not positive, or nothing is left.
    """
    if limit is not None and limit < 1:
        raise UsageError(f"a limit of {limit} leaves no prompt: give 1 or more")
    prompts = suite.prompts
    if ids:
        wanted = set(ids)
        for unknown in wanted - (known := {prompt.id for prompt in prompts}):
            raise unknown_name(f"prompt of {suite.name}", unknown, known)
        prompts = tuple(prompt for prompt in prompts if prompt.id in wanted)
    if length_range is not None:
        low, high = _bounds(length_range, max(prompt.length or 0 for prompt in suite.prompts))
        prompts = tuple(prompt for prompt in prompts if prompt.length and low <= prompt.length < high)
    if not prompts:
        raise UsageError(f"no prompt of {suite.name} is left: choose a wider length range or other ids")
    return prompts if limit is None else _spread(prompts, limit)


def _bounds(text: str, longest: int) -> tuple[int, int]:
    """Parse a range as a half-open one."""
    match = re.fullmatch(r"\s*([0-9]{1,10})\s*-\s*([0-9]{1,10})\s*", text)
    if not match or int(match[1]) > int(match[2]):
        raise UsageError(f"no length range {text!r}: give two numbers such as 2000-4000")
    low, high = int(match[1]), int(match[2])
    return low, high + 1 if high == longest else high


def _range_of(prompt: Prompt) -> str | None:
    return None if prompt.length is None else length_range(prompt.length)


def _spread(prompts: tuple[Prompt, ...], limit: int) -> tuple[Prompt, ...]:
    """Choose so many of the prompts; a smaller limit chooses a subset of a larger one's."""
    groups = [
        group
        for label in (*LENGTH_RANGES, None)
        if (group := [prompt for prompt in prompts if _range_of(prompt) == label])
    ]
    queues = [[groups[i][place] for place in _spaced(len(groups[i]))] for i in _spaced(len(groups))]
    rounds = itertools.chain.from_iterable(itertools.zip_longest(*queues))
    chosen = {prompt.id for prompt in itertools.islice(filter(None, rounds), limit)}
    return tuple(prompt for prompt in prompts if prompt.id in chosen)


def _spaced(count: int) -> list[int]:
    """Return 0 to count - 1 in an order of which every prefix is about evenly spaced.

    This is the van der Corput sequence: the numbers from 1 on with their bits reversed, as fractions.
    """
    bits = count.bit_length()
    reversed_bits = (int(f"{number:0{bits}b}"[::-1], 2) for number in (*range(1, 1 << bits), 0))
    return list(dict.fromkeys(part * count >> bits for part in reversed_bits))
