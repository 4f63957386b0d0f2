"""`lbw-eval compare`, `check`, `baseline` and `power`, as they are called."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from gate_samples import Wrote, write_run, wrote_well

from longbench_write.gate.layout import FINDING_HEADS


@pytest.fixture
def good(tmp_path):
    return write_run(tmp_path / "good", wrote_well(), model="writer-1")


@pytest.fixture
def again(tmp_path):
    return write_run(tmp_path / "again", wrote_well(seed=1), model="writer-1")


@pytest.fixture
def cut(tmp_path):
    """Its long texts end after a third."""
    wrote = wrote_well(seed=1)
    for name, each in wrote.items():
        if each.length >= 2000:
            wrote[name] = Wrote(each.length, each.words // 3, each.scores)
    return write_run(tmp_path / "cut", wrote, model="writer-2")


def test_a_run_that_got_worse_exits_with_3_and_names_the_ranges(lbw_eval, good, cut):
    code, out, _ = lbw_eval("check", cut, "--baseline", good)
    assert code == 3
    (line,) = [line for line in out.splitlines() if line.startswith("regressed: S_l")]
    assert set(re.findall(r"\[\d+,\d+[)\]]", line)) <= {"[2000,4000)", "[4000,20000]"}
    found = json.loads(lbw_eval("check", cut, "--baseline", good, "--json")[1])["findings"]
    assert [each["fell_in"] for each in found if each["metric"] == "S_l"] == [["[2000,4000)", "[4000,20000]"]]


def test_the_worst_responses_are_as_many_as_asked_for(lbw_eval, good, cut):
    for words, count in (((), 10), (("--worst", "3"), 3), (("--worst", "0"), 0)):
        _, out, _ = lbw_eval("check", cut, "--baseline", good, "--json", *words)
        assert len(json.loads(out)["worst"]) == count
    _, out, _ = lbw_eval("check", cut, "--baseline", good, "--worst", "3", "--junit", "gate.xml")
    assert len(re.findall(r"^ *p-\d+ +0 +S_", out, re.MULTILINE)) == 3
    assert len(ElementTree.parse("gate.xml").find(".//failure").text.splitlines()) == 6


def test_a_run_that_did_not_exits_with_0_and_says_what_it_could_see(lbw_eval, good, again):
    code, out, err = lbw_eval("check", again, "--baseline", good)
    assert (code, err) == (0, "")
    assert FINDING_HEADS[-1] in out
    assert "passed: S_l" in out


def test_the_gate_runs_on_a_baseline_file(lbw_eval, good, again, cut):
    code, _, err = lbw_eval("baseline", good, "-o", "baselines/writer.json")
    assert (code, "baselines" in err) == (2, True)
    Path("baselines").mkdir()
    code, out, err = lbw_eval("baseline", good, "-o", "baselines/writer.json")
    assert (code, out) == (0, "")
    assert re.findall(r"\b24\b", err) == ["24", "24"]
    assert "baselines/writer.json" in err
    assert lbw_eval("check", again, "--baseline", "baselines/writer.json")[0] == 0
    assert lbw_eval("check", cut, "--baseline", "baselines/writer.json")[0] == 3


def test_json_is_all_of_stdout_whatever_else_is_asked_for(lbw_eval, good, cut):
    code, out, err = lbw_eval("check", cut, "--baseline", good, "--json", "--github")
    assert code == json.loads(out)["exit_code"] == 3
    assert all(line.startswith("::") for line in err.splitlines())


def test_files_for_machines_are_written_whatever_the_verdict(lbw_eval, good, cut, tmp_path, monkeypatch):
    (tmp_path / "summary.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "out").mkdir()
    files = ("--junit", "out/gate.xml", "--markdown", "out/gate.md", "--plot", "out/gate.svg", "--github")
    assert lbw_eval("check", cut, "--baseline", good, *files)[0] == 3
    assert ElementTree.parse("out/gate.xml").find("testsuite").get("failures") == "2"
    markdown = (tmp_path / "out" / "gate.md").read_text(encoding="utf-8")
    assert (tmp_path / "summary.md").read_text(encoding="utf-8") == "before\n" + markdown
    assert "<svg" in (tmp_path / "out" / "gate.svg").read_text(encoding="utf-8")


def test_the_step_summary_is_left_alone_without_github(lbw_eval, good, tmp_path, monkeypatch):
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    lbw_eval("check", good, "--baseline", good)
    assert not (tmp_path / "summary.md").exists()


def test_lbw_gate_yaml_is_read_where_it_lies_and_overruled(lbw_eval, good, again, cut, tmp_path):
    (tmp_path / "lbw-gate.yaml").write_text("baseline: good\nmetrics: [S_l]\nmax-drop: 90\nmin: {S_l: 99}\n")
    code, out, _ = lbw_eval("check", again)
    assert code == 3
    assert "regressed: S_l" in out
    assert lbw_eval("check", again, "--min", "S_l=5")[0] == 0
    assert lbw_eval("check", cut, "--min", "S_l=5")[0] == 0
    assert lbw_eval("check", cut, "--min", "S_l=5", "--max-drop", "1")[0] == 3
    assert lbw_eval("check", cut, "--min", "S_l=5", "--max-drop", "S_l=3")[0] == 3


def test_missing_responses_exit_with_1(lbw_eval, good, tmp_path):
    run = write_run(tmp_path / "r", wrote_well() | {name: Wrote(100, None) for name in ("p-000", "p-008")})
    code, out, _ = lbw_eval("check", run, "--baseline", good)
    assert code == 1
    assert "2 of 24" in out
    assert lbw_eval("check", run, "--baseline", good, "--max-missing", "10")[0] == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ((), "--baseline"),
        (("--baseline", "good", "--metric", "S_k"), "'S_k'"),
        (("--baseline", "good", "--max-drop", "S_l"), "--max-drop 'S_l'"),
        (("--baseline", "good", "--max-drop", "Clarity=2"), "Clarity"),
        (("--baseline", "good", "--min", "70"), "--min '70'"),
        (("--baseline", "good", "--min", "S_l=nan"), "min S_l"),
        (("--baseline", "nowhere"), "nowhere"),
        (("--baseline", "good", "--config", "none.yaml"), "none.yaml"),
        (("--baseline", "good", "--plot", "x.jpg"), "'.jpg'"),
    ],
)
def test_wrong_usage_exits_with_2_in_one_sentence(lbw_eval, good, words, reason):
    code, out, err = lbw_eval("check", good, *words)
    assert (code, out) == (2, "")
    assert reason in err
    assert len(err.splitlines()) == 1


def test_other_judges_are_refused_unless_insisted_on(lbw_eval, good, tmp_path):
    other = write_run(tmp_path / "other", wrote_well(), judge="k", judge_sha256="8" * 64)
    code, _, err = lbw_eval("check", other, "--baseline", good)
    assert code == 2
    assert "--allow-different-judges" in err
    code, out, err = lbw_eval("check", other, "--baseline", good, "--allow-different-judges", "--github")
    assert code == 0
    assert "WARNING" in out
    assert re.match(r"::warning title=.*::.*WARNING", err)
    assert lbw_eval("compare", good, other)[0] == 2


def test_compare_shows_what_moved_and_where_it_stands(lbw_eval, good, cut):
    code, out, _ = lbw_eval("compare", good, cut)
    assert code == 0
    lines = (cut / "predictions.jsonl").read_text().splitlines()
    fell = json.loads(lbw_eval("compare", good, cut, "--json")[1])["moved"]["fallen"][0]
    assert json.loads(lines[fell["line_b"] - 1])["id"] == fell["id"]
    assert fell["words_b"] < fell["words_a"] / 2
    assert fell["id"] in out


@pytest.mark.parametrize(
    ("format", "begins"), [("json", "{"), ("md", "## writer"), ("table", "A  writer-1  ")]
)
def test_compare_prints_what_is_asked_for(lbw_eval, good, cut, format, begins):  # noqa: A002
    code, out, err = lbw_eval("compare", good, cut, "--format", format)
    assert (code, err) == (0, "")
    assert out.startswith(begins)


def test_compare_draws(lbw_eval, good, cut, tmp_path):
    assert lbw_eval("compare", good, cut, "--plot", "d.png")[0] == 0
    assert (tmp_path / "d.png").read_bytes().startswith(b"\x89PNG")


def test_a_run_beside_itself(lbw_eval, good):
    code, out, _ = lbw_eval("check", good, "--baseline", good)
    assert code == 0
    assert "passed: S_l" in out
    assert lbw_eval("compare", good, good)[0] == 0


def test_hostile_names_reach_no_terminal(lbw_eval, good, tmp_path):
    bad = write_run(tmp_path / "bad", wrote_well(), model="m\x1b[31m\n::error::x ##[error]y")
    for words in (("compare", good, bad), ("check", bad, "--baseline", good, "--github")):
        code, out, err = lbw_eval(*words)
        assert code == 0
        assert "\x1b" not in out + err
        assert "##[" not in out
        assert not any(line.startswith("::error") for line in (out + err).splitlines())


def test_power_refuses_a_run_that_is_named_twice(lbw_eval, good, again):
    code, _, err = lbw_eval("power", good, again, good / ".")
    assert code == 2
    assert "twice" in err


def test_power_plans_from_the_runs_at_hand(lbw_eval, good, again):
    code, out, err = lbw_eval("power", good, again, "--samples", "4", "--judge-repeats", "2")
    assert (code, err) == (0, "")
    assert re.search(r"\b24\b.*\b4\b.*\b2\b.*\bS_bar\b", " ".join(out.split()))
    values = json.loads(lbw_eval("power", good, again, "--json", "--prompts", "120")[1])
    assert values["prompts"] == 120
    assert {"S_bar", "S_l", "S_q"} == values["variance"].keys()
    low, high = values["grid"][-1]["detectable_drop"]["S_l"]
    assert 1 <= low <= high
