"""What a run lacks: not asked, failed for good or owed still, and what that may hide."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace

import numpy as np
import pytest
from gate_samples import World, Wrote, made, write_run, wrote_well
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.cli.app import main
from longbench_write.cli.table import footer
from longbench_write.compare.collection import Entry
from longbench_write.compare.comparable import terms
from longbench_write.compare.lacking import asked_of, at_worst, missing, newly_failed
from longbench_write.compare.loading import load_scores
from longbench_write.compare.metrics import parse_metric
from longbench_write.compare.ranking import leaderboard
from longbench_write.compare.rule import Rule
from longbench_write.gate.gate import Outcome, check
from longbench_write.leaderboards.layout import ranked_tables
from longbench_write.scoring.summary import Summary
from longbench_write.stats import sign_test_p

S_BAR, S_L, S_Q = map(parse_metric, ("S_bar", "S_l", "S_q"))
GOOD = np.full((120, 1), 100.0)


def noisy(prompts=60, *, seed=0, mean=60.0, width=2.0, samples=1):
    return made(np.random.default_rng(seed).normal(mean, width, (prompts, samples)))


def lacking(scores, *prompts):
    """The run without these prompts' responses."""
    gone = {sorted(scores.lengths)[place] for place in prompts}
    return replace(
        scores, responses={key: each for key, each in scores.responses.items() if key[0] not in gone}
    )


def finding(verdict, name):
    return next(each for each in verdict.findings if str(each.metric) == name)


def test_the_six_longest_prompts_of_a_run_that_is_equal_otherwise_cannot_be_told():
    run = made(GOOD)
    longest = sorted(range(120), key=lambda place: -run.lengths[f"p-{place:03d}"])[:6]
    verdict = check(run, lacking(run, *longest))
    assert verdict.exit_code == 1
    assert finding(verdict, "S_l").difference.value == 0
    failed = finding(verdict, "newly_failed")
    assert (failed.outcome, failed.difference.losses, failed.difference.wins) == (Outcome.UNDECIDED, 6, 0)
    assert failed.difference.p == 1 / 64
    assert failed.difference.b == 5.0


@pytest.mark.parametrize("metrics", [(S_L,), (S_Q,), (parse_metric("Clarity"),)])
def test_newly_failed_prompts_count_whatever_is_gated_and_are_never_a_regression(metrics):
    rng = np.random.default_rng(0)
    a, b = (
        made(
            rng.uniform(0, 90, (120, 1)) + better, rng.integers(1, 5, (120, 1, 6)).astype(float) + better / 10
        )
        for better in (0, 10)
    )
    b = lacking(b, *range(6))
    verdict = check(a, b, Rule(metrics=metrics))
    assert verdict.exit_code == 1
    assert {str(each.metric): each.outcome for each in verdict.findings} == {
        str(metrics[0]): Outcome.PASSED,
        "newly_failed": Outcome.UNDECIDED,
    }


def test_five_against_none_and_six_against_one_may_be_chance():
    run, better = noisy(120, width=20), noisy(120, width=20, mean=64, seed=1)
    five = check(run, lacking(better, *range(5)))
    assert five.exit_code == 0
    assert finding(five, "newly_failed").outcome is Outcome.PASSED
    assert check(run, lacking(better, *range(6))).exit_code == 1
    assert check(lacking(run, 119), lacking(better, *range(6)), Rule(max_missing=0.1)).exit_code == 0
    assert "newly_failed" not in [str(each.metric) for each in check(run, run).findings]


def test_what_the_baseline_lacked_too_is_not_new():
    run = made(np.random.default_rng(0).uniform(0, 100, (120, 1)))
    gone = lacking(run, *range(6))
    assert newly_failed(gone, gone).losses == 0
    assert check(gone, gone).exit_code == 0


@given(st.integers(0, 40), st.integers(0, 40))
def test_the_sign_test_is_a_distribution_function(losses, wins):
    p = sign_test_p(losses, wins)
    assert 0 < p <= 1
    assert p + sign_test_p(wins, losses) >= 1
    assert sign_test_p(losses + 1, wins) <= p


def test_samples_that_failed_make_a_prompt_worse():
    run = noisy(20, samples=3)
    short = replace(run, responses={key: each for key, each in run.responses.items() if key != ("p-003", 1)})
    found = newly_failed(run, short)
    assert (found.losses, found.wins, found.ties) == (1, 0, 19)
    assert found.b == pytest.approx(100 / 60)


def test_newly_unjudged_prompts_count_where_a_judge_is_needed():
    rng = np.random.default_rng(0)
    a = made(rng.normal(60, 20, (120, 1)), rng.integers(1, 5, (120, 1, 6)).astype(float))
    better = made(rng.normal(66, 20, (120, 1)), rng.integers(2, 6, (120, 1, 6)).astype(float))

    def unjudged(count):
        bare = {
            key: replace(each, values={"S_l": each.values["S_l"]}, scores=None)
            for key, each in sorted(better.responses.items())[:count]
        }
        return replace(better, responses={**better.responses, **bare})

    verdict = check(a, unjudged(6))
    assert verdict.exit_code == 1
    undecided = [str(each.metric) for each in verdict.findings if each.outcome is Outcome.UNDECIDED]
    assert undecided == ["newly_unjudged"]
    assert finding(verdict, "newly_unjudged").difference.p == 1 / 64
    assert check(a, unjudged(5)).exit_code == 0
    assert check(a, unjudged(6), Rule(metrics=(S_L,))).exit_code == 0
    assert check(unjudged(6), unjudged(6)).exit_code == 0
    in_range = Rule(metrics=(parse_metric("S_q[2000,4000)"),))
    assert finding(check(a, unjudged(30), in_range), "newly_unjudged").difference.losses == 8


# At the worst


def test_a_pass_that_missing_responses_at_their_worst_would_undo_cannot_be_told():
    a, b = noisy(), noisy(seed=1)
    wide = Rule(max_missing=0.2)
    assert check(a, lacking(b, 0), wide).exit_code == 0
    assert check(a, lacking(b, *range(5)), wide).exit_code == 1
    found = finding(check(a, lacking(b, *range(5)), wide), "S_l")
    assert found.outcome is Outcome.UNDECIDED
    assert re.search(r"\b5 missing responses at 0\b.*\bfell by 5\.", found.message)


def test_a_judgement_that_is_missing_is_at_its_worst_and_the_rest_stays():
    six = np.full((20, 1, 6), 4.0)
    full, bare = made([[60]] * 20, six), made([[60]] * 20)
    worst = at_worst(full, replace(bare, info=full.info))
    assert {name: S.mean(worst) for name, S in (("S_l", S_L), ("S_q", S_Q), ("S_bar", S_BAR))} == {
        "S_l": 60,
        "S_q": 0,
        "S_bar": 30,
    }


def test_what_was_not_asked_is_not_at_its_worst():
    full = noisy(20)
    half = made([[60.0]] * 10)
    half = replace(half, info=replace(half.info, prompts={"n": 10, "sha256": "6" * 64}))
    assert at_worst(full, half).responses == half.responses
    assert missing(full, half, S_L) == (0, 10)


def test_a_floor_that_missing_responses_at_their_worst_would_break_cannot_be_told():
    run = made(GOOD)
    assert check(run, lacking(run, 0), Rule(floors={S_L: 99})).exit_code == 0
    verdict = check(run, lacking(run, 0), Rule(floors={S_L: 99.5}))
    assert verdict.exit_code == 1
    assert "99.2" in finding(verdict, "S_l").message


def test_against_a_summary_alone_the_worst_case_counts_too(tmp_path):
    place = write_run(tmp_path / "a", wrote_well(120), judge=None, judge_sha256=None)
    (tmp_path / "s.json").write_bytes((place / "summary.json").read_bytes())
    known = load_scores(tmp_path / "s.json")
    wrote = {
        name: each if number >= 20 else Wrote(each.length, None)
        for number, (name, each) in enumerate(wrote_well(120).items())
    }
    run = load_scores(write_run(tmp_path / "b", wrote, judge=None, judge_sha256=None))
    assert check(known, run, Rule(max_missing=0.5)).exit_code == 1
    assert check(known, load_scores(place), Rule(max_missing=0.5)).exit_code == 0


@pytest.mark.parametrize("worst", [False, True])
def test_one_failed_prompt_of_120_rarely_stops_a_run_that_is_as_good(worst):
    rng = np.random.default_rng(3)
    undecided = 0
    for _ in range(25):
        a, b = World().pair(rng, 120)
        best = max(range(120), key=lambda place: a.prompt_means["S_bar"][f"p-{place:03d}"])
        undecided += check(a, lacking(b, best if worst else int(rng.integers(120)))).exit_code == 1
    assert undecided <= 4


def test_the_table_and_the_leaderboard_say_between_what_ends_s_l_lies(tmp_path):
    place = write_run(tmp_path / "r", wrote_well(12) | {"p-003": Wrote(1500, None)})
    summary = Summary.read(place / "summary.json")
    low, high = summary.S_l_bounds
    assert high - low == pytest.approx(100 / 12)
    shown = f"S_l lies between {low:.1f} and {high:.1f}"
    assert any(line.startswith(shown) for line in footer(summary, place))
    (table,) = ranked_tables(leaderboard([Entry(place, summary, "m")]), "length")
    assert any(shown in note for note in table.notes)


# Not asked


def part(scores, count, sha="6" * 64):
    """The run as if --limit had asked for so many prompts."""
    kept = set(sorted(scores.lengths)[:count])
    responses = {key: each for key, each in scores.responses.items() if key[0] in kept}
    return replace(
        scores, responses=responses, info=replace(scores.info, prompts={"n": count, "sha256": sha})
    )


def test_prompts_that_were_not_asked_are_not_missing_and_how_many_were_compared_is_said():
    full = noisy(120)
    verdict = check(full, part(full, 60))
    assert verdict.exit_code == 0
    assert finding(verdict, "S_l").missing == (0, 60)
    assert finding(verdict, "S_l").difference.n == 60
    (note,) = [note for note in verdict.notes if "compared on" in note]
    assert re.findall(r"\d+", note) == ["60", "60"]
    assert "--limit" in note


def test_a_failure_among_those_that_were_asked_still_counts():
    full = noisy(120)
    verdict = check(full, lacking(part(full, 60), 0, 1, 2, 3))
    assert verdict.exit_code == 1
    assert finding(verdict, "S_l").missing == (4, 60)


def test_a_wider_run_than_the_baseline_is_compared_on_the_baselines_prompts():
    full = noisy(120)
    (note,) = terms(part(full, 60), full).notes[-1:]
    assert re.findall(r"\d+", note) == ["60", "60"]
    assert check(part(full, 60), full).exit_code == 0


def test_of_a_file_alone_as_many_prompts_failed_as_it_says():
    """A baseline of which four of 120 failed, beside 60 that were all answered, two of those four too."""
    run = noisy(120)
    before, after = lacking(run, 0, 1, 100, 101), part(run, 60)
    found = newly_failed(before, after)
    assert (found.losses, found.wins, found.n) == (0, 2, 60)
    none_failed = replace(before, info=replace(before.info, prompts={"n": 116, "sha256": "7" * 64}))
    assert newly_failed(none_failed, after).wins == 0
    bare = replace(after, info=None)
    assert missing(run, bare, S_L) == (60, 120)


def test_the_records_say_which_prompts_were_asked(tmp_path):
    wrote = wrote_well(12) | {"p-003": Wrote(100, None)}
    scores = load_scores(write_run(tmp_path / "r", wrote))
    assert scores.recorded == set(wrote)
    assert asked_of(scores, made([[60]] * 24)) == dict.fromkeys(scores.recorded, 1)


def test_the_command_tells_failed_from_not_asked(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    full = write_run(tmp_path / "full", wrote_well(24))
    half = dict(list(wrote_well(24).items())[:12])
    limited = write_run(tmp_path / "half", half, prompts={"n": 12, "sha256": "6" * 64})
    failed = write_run(
        tmp_path / "failed", half | {"p-000": Wrote(100, None)}, prompts={"n": 12, "sha256": "6" * 64}
    )
    for run, code, lacks in ((limited, 0, 0), (failed, 1, 1)):
        monkeypatch.setattr(sys, "argv", ["lbw-eval", "check", str(run), "--baseline", str(full), "--json"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert (ended.value.code or 0) == code
        found = json.loads(capsys.readouterr().out)["findings"]
        assert [(each["missing"], each["owed"]) for each in found if each["metric"] == "S_l"] == [(lacks, 12)]
