"""An lbw-gate.yaml that git or an editor changed: refused by name, or read to the same settings."""

from __future__ import annotations

import pytest

from longbench_write.errors import UsageError
from longbench_write.gate.checking import gate_values
from longbench_write.gate.config import build_gate

TEXT = """\
# The nightly gate.
baseline: baselines/main.json
metrics: [S_l, S_q, "S_l[4000,20000]"]
max-drop: {default: 1, S_q: 2}
min: {S_l: 70}
max-missing: 5
allow-different-judges: false
"""
OURS, THEIRS = "min: {S_l: 70}\n", "min: {S_l: 40}\n"


def in_conflict(common=""):
    return TEXT.replace(OURS, f"<<<<<<< HEAD\n{OURS}{common}=======\n{THEIRS}>>>>>>> main\n")


def with_line(line):
    return TEXT + line + "\n"


SAME = {
    "a byte order mark": "\ufeff" + TEXT,
    "Windows line ends": TEXT.replace("\n", "\r\n"),
    "both": "\ufeff" + TEXT.replace("\n", "\r\n"),
    "old Mac line ends": TEXT.replace("\n", "\r"),
    "no last line end": TEXT.rstrip(),
    "blank lines": TEXT.replace("\n", "\n\n"),
    "another order": "\n".join(reversed(TEXT.splitlines())),
    "keys with _": TEXT.replace("max-", "max_").replace("allow-different-judges", "allow_different_judges"),
    "quotes": TEXT.replace("S_q:", "'S_q':").replace("baselines/main.json", '"baselines/main.json"'),
    "blocks": TEXT.replace("{S_l: 70}", "\n  S_l: 70")
    .replace("[S_l, S_q, ", "\n- S_l\n- S_q\n- ")
    .replace('20000]"]', '20000]"'),
    "a fraction": TEXT.replace("S_l: 70", "S_l: 70.0"),
    "spaces": TEXT.replace(": ", ":   ").replace("\n", "  \n"),
    "spaces in a range": TEXT.replace("4000,20000", "4000, 20000"),
    "a document's marks": f"---\n{TEXT}...\n",
    "a comment": TEXT.replace("5\n", "5  # percent\n"),
    "metrics twice": TEXT.replace("S_l, S_q,", "S_l, S_q, S_l,"),
    "JSON": (
        '{"baseline": "baselines/main.json", "metrics": ["S_l", "S_q", "S_l[4000,20000]"], '
        '"max-drop": {"default": 1, "S_q": 2}, "min": {"S_l": 70}, "max-missing": 5, '
        '"allow-different-judges": false}'
    ),
}
CHANGED = {
    "empty": ("", "keys and values"),
    "comments alone": ("# nothing\n", "keys and values"),
    "an LFS pointer": ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 3\n", "LFS pointer"),
    "conflict markers": (in_conflict(), "conflict markers.* line 5"),
    "conflict markers, diff3": (in_conflict("||||||| 1a2b3c\nmin: {S_l: 60}\n"), "conflict markers.* line 5"),
    "conflict markers, CRLF": (in_conflict().replace("\n", "\r\n"), "conflict markers"),
    "merged by union": (TEXT.replace(OURS, OURS + THEIRS), "line 6: .*'min'.* line 5"),
    "a metric twice": (TEXT.replace("S_l: 70", "S_l: 70, S_l: 40"), "line 5: .*'S_l'"),
    "a metric twice, quoted": (TEXT.replace("S_l: 70", "S_l: 70, 'S_l': 40"), "line 5: .*'S_l'"),
    "a metric twice, with a space": (
        TEXT.replace("S_l: 70", '"S_l[0,500)": 70, "S_l[0, 500)": 40'),
        r"min .*S_l\[0,500\).* twice",
    ),
    "a key with - and with _": (with_line("max_missing: 50"), "max_missing.* twice"),
    "cut in a line": (TEXT[: TEXT.index("70}") + 1], "line"),
    "cut in a key": (TEXT[: TEXT.index("max-missing") + 6], "line"),
    "a key that is none": (TEXT.replace("min:", "mni:"), "'mni'.*'min'"),
    "a value for each suite": (with_line("suite: lbw-open"), "'suite'"),
    "a metric that is none": (TEXT.replace("S_q: 2", "S_k: 2"), "'S_k'"),
    "a share": (TEXT.replace("max-missing: 5", "max-missing: 5%"), "max-missing .*'5%'"),
    "a decimal comma": (TEXT.replace("max-missing: 5", "max-missing: 2,5"), "max-missing .*'2,5'"),
    "more than all": (TEXT.replace("max-missing: 5", "max-missing: 500"), "max-missing .*500"),
    "below nothing": (TEXT.replace("max-missing: 5", "max-missing: -5"), "max-missing .*-5"),
    "no number": (TEXT.replace("max-missing: 5", "max-missing: .nan"), "max-missing .*nan"),
    "nothing": (TEXT.replace("max-missing: 5", "max-missing:"), "max-missing .*None"),
    "yes": (TEXT.replace("max-missing: 5", "max-missing: yes"), "max-missing .*True"),
    "base 8": (TEXT.replace("S_l: 70", "S_l: 070"), "line 5: .*070"),
    "base 60": (TEXT.replace("S_l: 70", "S_l: 1:10"), "line 5: .*1:10"),
    "a floor in words": (TEXT.replace("S_l: 70", "S_l: high"), "min S_l .*'high'"),
    "a floor above 100": (TEXT.replace("S_l: 70", "S_l: 700"), "min S_l .*700"),
    "floors without metrics": (TEXT.replace("{S_l: 70}", "70"), "min .*70"),
    "floors in a list": (TEXT.replace("{S_l: 70}", "[S_l, 70]"), "min "),
    "a drop above 100": (TEXT.replace("S_q: 2", "S_q: 200"), "max-drop S_q .*200"),
    "metrics in a text": (TEXT.replace('[S_l, S_q, "S_l[4000,20000]"]', "S_l S_q"), "metrics"),
    "no metrics": (TEXT.replace('[S_l, S_q, "S_l[4000,20000]"]', "[]"), "metrics"),
    "a range without quotes": (TEXT.replace('"S_l[4000,20000]"', "S_l[4000,20000]"), "line"),
    "two baselines": (TEXT.replace("baselines/main.json", "[a.json, b.json]"), "baseline must be a path"),
    "judges in a text": (
        TEXT.replace("judges: false", "judges: 'false'"),
        "allow-different-judges .*'false'",
    ),
    "a tab": (TEXT.replace("min: ", "\tmin: "), "line"),
    "two documents": (TEXT + "---\n" + TEXT, "line|document"),
    "UTF-16": (TEXT.encode("utf-16"), "utf-8"),
    "half of a letter": (TEXT.encode() + b"\xc3", "utf-8"),
}


def read(folder, content):
    path = folder / "lbw-gate.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return build_gate(gate_values({}, path))


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_what_says_the_same_is_read_to_the_same_settings(tmp_path, content):
    assert read(tmp_path, content) == read(tmp_path, TEXT)


@pytest.mark.parametrize(("content", "named"), CHANGED.values(), ids=CHANGED)
def test_what_makes_no_sense_is_refused_by_name(tmp_path, content, named):
    with pytest.raises(UsageError, match=named) as refused:
        read(tmp_path, content)
    assert refused.value.exit_code == 2
    assert len(str(refused.value).splitlines()) == 1
