"""A history of verdicts: its file, whatever became of it, and the trend that is told from it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from gate_samples import made, write_run, wrote_well
from hypothesis import given
from hypothesis import strategies as st
from samples import RUN_INFO
from value_faults import command, faults

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.rule import Rule
from longbench_write.files.output import append_line
from longbench_write.gate.following import followed
from longbench_write.gate.gate import Outcome, check
from longbench_write.gate.history import VerdictLine, by_night, once_each, read_history
from longbench_write.gate.junit import junit_xml
from longbench_write.gate.trend import FEWEST, trend_of
from longbench_write.metrics.base import Metric
from longbench_write.plots.history import points

NOW = datetime(2026, 11, 27, 2, 0, tzinfo=UTC)
DAY = date(2026, 1, 1)


def line(day=0, run=None, **changes):
    """A line of so many days before `NOW`."""
    known = VerdictLine(
        at=(NOW - timedelta(days=day)).isoformat(),
        run=run or f"night {day}",
        baseline=None,
        exit_code=0,
        figures={"S_l": 80.0, "S_q": 70.0},
        prompts=8,
        of={"model": "m", "judge": "j", "judge_sha256": "7" * 64},
    )
    return replace(known, **changes)


def written(path, *lines):
    path.write_text("".join(each.text() + "\n" for each in lines))
    return path


def follow(path, run=None, *, rule=None, now=NOW, baseline=None):
    good = made([[60.0 + prompt] for prompt in range(8)], start=now.isoformat())
    return followed(check(baseline or good, run or good), rule or Rule(), path, now)


def with_nights(path, figures, *, now=NOW, **changes):
    """A history of earlier nights, of the run that `follow` takes."""
    own = follow(path, now=now).history.line
    lines = []
    for day, figure in enumerate(reversed(figures), start=1):
        at = (now - timedelta(days=day)).isoformat()
        figures = {"S_l": figure}
        lines.append(replace(own, at=at, made=at, run=f"night {day}", figures=figures, **changes))
    return written(path, *reversed(lines))


@pytest.mark.parametrize(
    ("bad", "says"),
    [
        (line(5).text()[:60], "cut"),
        ("<<<<<<< HEAD", "conflict"),
        ("[1, 2]", "object"),
        ("{}", "at"),
        (line(5).text().replace('"exit_code"', '"run": "a", "exit_code"'), "run"),
        (line(5).text().replace("80.0", "NaN"), "NaN"),
        (line(5).text().replace("80.0", '"80"'), "S_l"),
        (line(-5).text(), "time to come"),
        ("x" * (1 << 20), "longer"),
    ],
)
def test_a_line_that_was_cut_merged_or_edited_is_named_and_left_out(tmp_path, bad, says):
    path = tmp_path / "h.jsonl"
    path.write_text("\n".join([line(9).text(), bad, line(8).text()]))
    found, said = read_history(path, NOW)
    assert found == [line(9), line(8)]
    assert len(said) == 1
    assert "line 2" in said[0]
    assert says in said[0]
    assert all(each in follow(path).notes for each in said)


@given(st.lists(st.binary() | st.sampled_from([line(1).text().encode(), b'{"at": 1}', b"\xff", b"[" * 9999])))
def test_whatever_a_history_holds_it_is_read_or_said(tmp_path_factory, parts):
    path = tmp_path_factory.getbasetemp() / "any.jsonl"
    path.write_bytes(b"\n".join(parts))
    found, said = read_history(path, NOW)
    whole = [part for part in b"\n".join(parts).split(b"\n") if part.strip()]
    assert len(found) == whole.count(line(1).text().encode())
    assert not said or len(found) < len(whole)
    follow(path)


def test_a_wrong_value_anywhere_ends_in_no_traceback(tmp_path):
    good = written(tmp_path / "good.jsonl", *(line(day) for day in range(30, 0, -1)))
    path = tmp_path / "bad.jsonl"
    for fault in faults(good):
        path.write_bytes(fault.content)
        found, said = read_history(path, NOW)
        assert len(found) + len(said) >= 30 - fault.what.count("missing")
        points(found)


def test_what_cannot_be_read_at_all_is_said_and_a_line_is_never_glued_to_a_cut_one(tmp_path):
    assert read_history(tmp_path / "none", NOW) == ([], [])
    assert read_history(tmp_path, NOW)[1][0].startswith("WARNING")
    path = tmp_path / "h.jsonl"
    path.write_text('{"at": "20')
    append_line(path, line(1).text())
    assert read_history(path, NOW)[0] == [line(1)]


def test_a_run_counts_once_with_what_was_said_last_at_the_time_of_the_first():
    again = line(3, run="night 5", figures={"S_l": 1.0})
    found = once_each([line(5), again, line(4), line(4)])
    assert [each.figures["S_l"] for each in found] == [1.0, 80.0]
    assert found[0].time == line(5).time
    two = [line(5), replace(line(5, run="another"), figures={"S_l": 70.0})]
    assert by_night(two, "S_l") == {line(5).time.date(): 75.0}


def test_a_run_is_known_by_its_start_and_an_imported_one_by_its_responses(tmp_path):
    def run_of(run):
        return follow(tmp_path / "none", run).history.line.run

    one = made([[60.0], [61.0]])
    judged_anew = replace(one, responses=made([[60.0], [62.0]]).responses)
    assert run_of(one) == run_of(judged_anew)
    assert run_of(one) != run_of(replace(one, info=replace(one.info, start="2026-11-22T00:00:00+00:00")))
    settings = {**RUN_INFO.settings, "backend": "imported"}
    imported, other = (
        replace(each, info=replace(each.info, settings=settings)) for each in (one, judged_anew)
    )
    later = replace(imported, info=replace(imported.info, start="2026-11-22T00:00:00+00:00"))
    assert run_of(imported) == run_of(later) != run_of(other)


def test_other_models_and_judges_are_no_part_of_it(tmp_path):
    path = with_nights(tmp_path / "h.jsonl", [63.5] * 20)
    assert follow(path).history.nights == 21
    for name in ("model", "judge_sha256", "prompts_sha256"):
        lines, _ = read_history(path, NOW)
        written(path, *(replace(each, of={**each.of, name: "another"}) for each in lines[:5]), *lines[5:])
        found = follow(path)
        assert found.history.nights == 16
        assert any("5 verdicts are left out" in note for note in found.notes)
        with_nights(path, [63.5] * 20)


def test_a_drift_is_a_regression_of_its_own_and_few_nights_tell_none(tmp_path):
    rng = np.random.default_rng(1)
    nights = 63.5 + 0.5 * np.arange(42, 0, -1) / 7 + rng.normal(0, 0.3, 42)
    path = with_nights(tmp_path / "h.jsonl", nights.tolist())
    found = follow(path)
    assert found.exit_code == 3
    (finding,) = (each for each in found.findings if each.outcome is Outcome.REGRESSED)
    assert str(finding.metric) == "S_l trend"
    told = found.history.to_json()
    assert (told["since"], told["n"]) == ((NOW - timedelta(days=42)).date().isoformat(), 43)
    low, high = told["trend"]["S_l"]["interval"]
    assert low < told["trend"]["S_l"]["per_week"] < high < 0
    assert 'name="S_l trend"' in junit_xml(found)
    wider = follow(path, rule=Rule(drop=5.0))
    assert wider.exit_code == 0
    few = follow(with_nights(path, nights[-FEWEST + 2 :].tolist()))
    assert few.exit_code == 0
    assert few.history.to_json()["trend"] == {"S_l": {"per_week": None, "interval": None}}


def test_a_rise_is_no_regression_but_where_lower_is_better(tmp_path):
    path = with_nights(tmp_path / "h.jsonl", [60 + 0.1 * day for day in range(36)])
    assert follow(path).exit_code == 0
    assert follow(path).history.to_json()["trend"]["S_l"]["interval"][0] > 0
    errors = MetricInRange(Metric("errors", "errors", higher_is_better=False))
    run = made([[60.0], [61.0]])
    run = replace(
        run,
        metrics=(errors.metric,),
        responses={k: replace(r, values={"errors": 9.0}) for k, r in run.responses.items()},
    )
    own = follow(tmp_path / "none", run, baseline=run, rule=Rule(metrics=(errors,))).history.line
    days = [(day, (NOW - timedelta(days=day)).isoformat()) for day in range(1, 30)]
    rising = [replace(own, at=at, made=at, run=at, figures={"errors": 9 - 0.1 * day}) for day, at in days]
    now_made = replace(run, info=replace(run.info, start=NOW.isoformat()))
    found = follow(written(path, *rising), now_made, baseline=run, rule=Rule(metrics=(errors,)))
    assert found.exit_code == 3


def test_the_interval_ends_where_the_likelihood_ratio_reaches_its_bound():
    rng = np.random.default_rng(2)
    figures = {DAY + timedelta(days=day): float(rng.normal()) for day in range(40)}
    trend = trend_of(figures)
    weeks = np.arange(40) / 7
    values = np.array(list(figures.values()))
    slope, middle = np.polyfit(weeks, values, 1)
    assert trend.per_week == pytest.approx(slope)
    assert (trend.start, trend.end) == pytest.approx((middle, middle + slope * weeks[-1]))
    spread = ((weeks - weeks.mean()) ** 2).sum()
    share = (1 / 0.3**2) / (1 / 0.3**2 + spread)
    for end in trend.interval(0.95):
        squared = ((slope - end) / trend.error) ** 2 / 38
        ratio = math.sqrt(share) * ((1 + share * squared) / (1 + squared)) ** (-39 / 2)
        assert ratio == pytest.approx(20)


@pytest.mark.parametrize("figures", [[], [1.0], [1.0, 2.0], [0.1] * 30, [0.1] * 14 + [1e15]])
def test_little_equal_and_huge_figures_have_a_trend_or_none(figures):
    trend = trend_of({DAY + timedelta(days=day): figure for day, figure in enumerate(figures)})
    assert (trend is None) == (len(figures) < 3)
    if len(set(figures)) == 1 and trend:
        assert trend.interval(0.95) == (0.0, 0.0)


def test_the_command_keeps_a_line_a_verdict_and_its_verdict_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_run(tmp_path / "good", wrote_well(), model="m")
    write_run(tmp_path / "cut", wrote_well(share=0.3), model="m", start="2026-11-22T00:00:00+00:00")
    for run, code in (("good", 0), ("cut", 3), ("cut", 3)):
        done = command("check", run, "--baseline", "good", "--history", "h.jsonl", "--json")
        assert (done.code, done.raised) == (code, None)
    told = json.loads(done.out)["history"]
    assert (told["since"], told["n"]) == ("2026-11-21", 2)
    kept = [json.loads(each) for each in (tmp_path / "h.jsonl").read_text().splitlines()]
    assert [each["exit_code"] for each in kept] == [0, 3, 3]
    assert kept[1]["run"] == kept[2]["run"] != kept[0]["run"] == kept[0]["baseline"]
    assert set(kept[0]["figures"]) == {"S_bar", "S_l", "S_q"}
    assert (kept[0]["prompts"], kept[0]["of"]["model"]) == (24, "m")
    assert json.loads(command("check", "good", "--baseline", "good", "--json").out)["history"] is None
    for run, code in (("good", 2), ("cut", 3)):
        assert command("check", run, "--baseline", "good", "--history", ".").code == code
    append_line(tmp_path / "h.jsonl", "{cut")
    drawn = command("plot", "--history", "h.jsonl", "--format", "svg")
    assert (drawn.code, drawn.out.split()) == (0, [str(Path("plots", "history.svg"))])
    assert "line 4" in drawn.err
    assert command("plot", "--history", "none.jsonl").code == 2
