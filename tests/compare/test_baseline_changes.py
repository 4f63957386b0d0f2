"""A baseline file that git, an editor or a bot changed: refused by name, or read to the same figures."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest
from gate_samples import Wrote, resealed, write_run, wrote_well

from longbench_write.compare.baseline import baseline_text
from longbench_write.compare.loading import load_scores
from longbench_write.errors import UsageError

UNJUDGED = Wrote(700, 650, None)


@pytest.fixture(scope="module")
def text(tmp_path_factory):
    wrote = wrote_well(10) | {"p-002": UNJUDGED}
    return baseline_text(load_scores(write_run(tmp_path_factory.mktemp("run") / "r", wrote)))


def value_at(values, keys):
    for key in keys:
        values = values[key]
    return values


def put(*keys_and_text, value, sealed=False):
    """The text with a value under these keys; sealed anew where the digest is to match."""
    *keys, text = keys_and_text
    values = json.loads(text)
    value_at(values, keys[:-1])[keys[-1]] = value
    return json.dumps(resealed(values) if sealed else values)


def without(*keys_and_text, sealed=False):
    *keys, text = keys_and_text
    values = json.loads(text)
    del value_at(values, keys[:-1])[keys[-1]]
    return json.dumps(resealed(values) if sealed else values)


def reordered(text):
    def turned(value):
        if isinstance(value, dict):
            return {key: turned(value[key]) for key in reversed(value)}
        return value

    return json.dumps(turned(json.loads(text)))


def as_javascript_writes(text):
    """Whole numbers without a fraction, and nothing but ASCII in two spaces."""
    return re.sub(r"(?<=\d)\.0(?=[,\]}\s])", "", text)


def prompt_line(text, number=3):
    return next(line for line in text.splitlines(keepends=True) if f'"p-{number:03d}"' in line)


def merged_by_union(text):
    lines = "".join(line for line in text.splitlines(keepends=True) if line.startswith('    "p-'))
    return text.replace('  "scores": {\n', '  "scores": {\n' + lines.rstrip("\n") + ",\n")


def in_conflict(text, *, common=False):
    line = prompt_line(text)
    other = line.replace('"words": ', '"words": 1')
    base = f"||||||| 1a2b3c\n{line}" if common else ""
    return text.replace(line, f"<<<<<<< HEAD\n{line}{base}=======\n{other}>>>>>>> main\n")


SAMPLE = ("scores", "p-000", "samples", "0")
SAME = {
    "a byte order mark": lambda text: "\ufeff" + text,
    "Windows line ends": lambda text: text.replace("\n", "\r\n"),
    "both": lambda text: "\ufeff" + text.replace("\n", "\r\n"),
    "no last line end": str.rstrip,
    "blank lines around": lambda text: f"\n\n{text}\n\n",
    "another order": reordered,
    "on one line": lambda text: json.dumps(json.loads(text), separators=(",", ":")),
    "another indentation": lambda text: json.dumps(json.loads(text), indent=4),
    "tabs": lambda text: json.dumps(json.loads(text), indent="\t"),
    "spaces at line ends": lambda text: text.replace("\n", "  \n"),
    "sorted keys": lambda text: json.dumps(json.loads(text), sort_keys=True, indent=1),
    "whole numbers without a fraction": as_javascript_writes,
    "an exponent": lambda text: text.replace("4.0,", "4e0,"),
    "escapes for letters": lambda text: text.replace('"Clarity"', '"\\u0043larity"').replace(
        '"p-', '"\\u0070-'
    ),
}
CHANGED = {
    "empty": (lambda text: "", "empty"),
    "blank": (lambda text: " \n\n", "empty"),
    "an LFS pointer": (
        lambda text: "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 30000\n",
        "LFS pointer",
    ),
    "conflict markers": (in_conflict, "conflict markers.* line "),
    "conflict markers, diff3": (partial(in_conflict, common=True), "conflict markers.* line "),
    "conflict markers, CRLF": (lambda text: in_conflict(text).replace("\n", "\r\n"), "conflict markers"),
    "conflict in the head": (
        lambda text: text.replace('  "convention"', '<<<<<<< ours\n  "convention"'),
        "conflict markers.* line 2",
    ),
    "merged by union": (merged_by_union, "10 keys"),
    "a prompt's line twice": (
        lambda text: text.replace(line := prompt_line(text), line + line),
        "p-003.*lines",
    ),
    "a key of the head twice": (lambda text: text.replace("{\n", '{\n  "schema": 2,\n', 1), "schema.*lines"),
    "a key of a sample twice": (
        lambda text: text.replace('"words": ', '"words": 1, "words": ', 1),
        "'words'",
    ),
    "a digest twice": (lambda text: re.sub(r'(  "digest".*\n)', r"\1\1", text), "'digest'"),
    "cut in a line": (lambda text: text[: len(text) // 2], "cut off"),
    "cut behind a line": (lambda text: text[: text.index(prompt_line(text))], "cut off"),
    "cut at its last brackets": (lambda text: text.rstrip()[:-1], "cut off"),
    "cut in the head": (lambda text: text[:40], "cut off"),
    "twice in one file": (lambda text: text + text, "Extra data"),
    "a comma too many": (lambda text: text.replace("\n  }\n}", ",\n  }\n}"), "no JSON.*line"),
    "a list": (lambda text: f"[{text}]", "no JSON object"),
    "UTF-16": (lambda text: text.encode("utf-16"), "utf-8"),
    "a newer schema": (partial(put, "schema", value=3), "schema 3.*newer"),
    "a schema in words": (partial(put, "schema", value="2"), "schema 2.*newer"),
    "no schema": (partial(without, "schema"), "schema"),
    "another kind": (partial(put, "kind", value="other"), "kind"),
    "no digest": (partial(without, "digest"), "digest"),
    "another digest": (partial(put, "digest", value="0" * 64), "first|digest"),
    "a digest in capitals": (
        lambda text: re.sub(r'(?<="digest": ")\w+', lambda m: m[0].upper() + "A", text),
        "digest",
    ),
    "called schema 1": (partial(put, "schema", value=1), "digest does not match"),
    "another score": (partial(put, *SAMPLE, "S_l", value=99.5), "digest does not match"),
    "other words": (partial(put, *SAMPLE, "words", value=7), "digest does not match"),
    "a dimension more": (partial(put, *SAMPLE, "dimensions", value=[5.0] * 6), "digest does not match"),
    "no flags": (partial(put, *SAMPLE, "flags", value=["truncated"]), "digest does not match"),
    "another length": (partial(put, "scores", "p-000", "length", value=101), "digest does not match"),
    "another model": (partial(put, "heading", "model", value="n"), "digest does not match"),
    "other settings": (partial(put, "heading", "settings", "temperature", value=0), "digest does not match"),
    "another date": (partial(put, "made", value=["2026-11-22T00:00:00+00:00"]), "digest does not match"),
    "another parent": (partial(put, "parent", value="1" * 64), "parent"),
    "another first": (partial(put, "first", value="1" * 64), "first"),
    "an unknown key": (partial(put, "note", value="mine"), "digest does not match"),
    "complete after all": (partial(put, "incomplete", value=True), "digest does not match"),
    "a prompt less": (partial(without, "scores", "p-004"), "counts.generated is 10.* 9 "),
    "a prompt more": (
        lambda text: text.replace(line := prompt_line(text), line + line.replace("p-003", "p-03")),
        "counts.generated is 10.* 11 ",
    ),
    "a judgement less": (partial(put, *SAMPLE, "dimensions", value=None, sealed=True), "counts.judged"),
    "other counts": (partial(put, "counts", "owed", value=40, sealed=True), "counts: owed is not the sum"),
    "no counts of what failed": (partial(without, "counts", "judge_failed", sealed=True), "judge_failed"),
    "fewer prompts in the heading": (
        partial(put, "heading", "prompts", "n", value=9, sealed=True),
        "heading.prompts.n is 9",
    ),
    "more runs than dates": (partial(put, "runs", value=5, sealed=True), "made has 1.* runs is 5"),
    "no runs": (partial(put, "runs", value=0, sealed=True), "runs"),
    "a date that is none": (partial(put, "made", value=["yesterday"], sealed=True), "made"),
    "another judge": (partial(put, "judge", "label", value="k", sealed=True), "judge"),
    "a judge without repeats": (partial(put, "judge", "repeats", value=0, sealed=True), "judge.repeats"),
    "S_l above 100": (partial(put, *SAMPLE, "S_l", value=100.5, sealed=True), "S_l"),
    "S_l below 0": (partial(put, *SAMPLE, "S_l", value=-1, sealed=True), "S_l"),
    "a share for points": (partial(put, *SAMPLE, "S_l", value="95%", sealed=True), "S_l"),
    "a score of 6": (partial(put, *SAMPLE, "dimensions", value=[6.0] * 6, sealed=True), "dimensions"),
    "a score of 0": (partial(put, *SAMPLE, "dimensions", value=[0] * 6, sealed=True), "dimensions"),
    "five scores": (partial(put, *SAMPLE, "dimensions", value=[4.0] * 5, sealed=True), "dimensions"),
    "a rule's score of 101": (
        partial(put, *SAMPLE, "values", value={"S_l_rule": 101}, sealed=True),
        "S_l_rule: 101 is not from 0 to 100",
    ),
    "words below 0": (partial(put, *SAMPLE, "words", value=-5, sealed=True), "words"),
    "half a word": (partial(put, *SAMPLE, "words", value=9.5, sealed=True), "words"),
    "a length of 0": (partial(put, "scores", "p-000", "length", value=0, sealed=True), "length"),
    "NaN": (lambda text: re.sub(r'"S_l": [\d.]+', '"S_l": NaN', text, count=1), "NaN"),
    "more than any number": (lambda text: re.sub(r'"S_l": [\d.]+', '"S_l": 1e999', text, count=1), "range"),
    "a sample's number with a nought": (lambda text: text.replace('{"0":', '{"00":', 1), "samples"),
    "no samples": (partial(put, "scores", "p-000", "samples", value={}, sealed=True), "samples"),
    "no prompts": (partial(put, "scores", value={}, sealed=True), "scores"),
    "no judge": (partial(put, "heading", "judge", value=None, sealed=True), "judge"),
}


def read(folder, content):
    path = folder / "main.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_scores(path)


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_says_the_same_is_read_to_the_same_figures(tmp_path, text, change):
    before, after = read(tmp_path, text), read(tmp_path, change(text))
    assert (after.responses, after.info, after.counts) == (before.responses, before.info, before.counts)
    assert after.origin == before.origin


@pytest.mark.parametrize(("change", "named"), CHANGED.values(), ids=CHANGED)
def test_what_was_changed_is_refused_by_name(tmp_path, text, change, named):
    with pytest.raises(UsageError, match=named) as refused:
        read(tmp_path, change(text))
    assert refused.value.exit_code == 2
    assert str(refused.value).startswith(str(tmp_path / "main.json"))
    assert len(str(refused.value).splitlines()) == 1
