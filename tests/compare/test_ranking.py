"""Places in a block: what is ranked with what, what incomplete runs gain, and what cannot be paired."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gate_samples import World, Wrote, write_run
from hypothesis import given, settings
from hypothesis import strategies as st
from samples import RUN_INFO, failed, judged, predicted

from longbench_write.compare.collection import Entry, collect
from longbench_write.compare.loading import load_scores
from longbench_write.compare.ranking import leaderboard
from longbench_write.gate.gate import Outcome, check
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import scores_csv

PROMPTS = 40
FOUR = (4, 4, 4, 4, 4, 4)


def wrote(shares, scores=FOUR, length=1000):
    """Responses of these shares of the required words; None failed."""
    return {
        f"p-{n:03d}": Wrote(length, None if share is None else round(share * length), scores)
        for n, share in enumerate(shares)
    }


def around(share, seed, prompts=PROMPTS, spread=0.05):
    return np.random.default_rng(seed).normal(share, spread, prompts).clip(0.1, 1.0).tolist()


def put(folder, **runs):
    """Run folders of these responses by model name; a value may have changes of the summary's heading."""
    for name, made in runs.items():
        responses, changes = made if isinstance(made, tuple) else (made, {})
        write_run(folder / name, responses, **({"model": name} | changes))
    return collect([folder]).entries


def places(entries, **options):
    (ranking,) = leaderboard(entries, **options)
    return {ranked.entry.label: (ranked.best, ranked.worst) for ranked in ranking.runs}


def test_pairs_part_runs_whose_intervals_overlap(tmp_path):
    hard = np.random.default_rng(0).uniform(0.4, 0.9, PROMPTS)
    entries = put(
        tmp_path, a=wrote(hard), b=wrote(hard - 0.03), c=wrote(hard - np.tile([0.028, 0.032], PROMPTS // 2))
    )
    (low, _), (_, high) = (
        next(e.summary.ci["S_bar"] for e in entries if e.label == name) for name in ("a", "b")
    )
    assert low < high
    assert places(entries) == places(entries[::-1]) == {"a": (1, 1), "b": (2, 3), "c": (2, 3)}


def test_identical_runs_tie(tmp_path):
    shares = around(0.8, 1)
    entries = put(tmp_path, b=wrote(shares), a=wrote(shares), c=wrote([s - 0.3 for s in shares]))
    assert places(entries) == {"a": (1, 2), "b": (1, 2), "c": (3, 3)}
    (ranking,) = leaderboard(entries)
    assert [ranked.entry.label for ranked in ranking.runs] == ["a", "b", "c"]


def test_without_an_interval_a_run_ties_with_all(tmp_path):
    known = put(tmp_path, good=wrote(around(0.9, 1)), bad=wrote(around(0.3, 2)), new=wrote(around(0.1, 3)))
    entries = [
        replace(each, summary=replace(each.summary, ci=dict.fromkeys(each.summary.ci)))
        if each.label == "new"
        else each
        for each in known
    ]
    assert places(entries) == {"good": (1, 2), "bad": (2, 3), "new": (1, 3)}


@pytest.mark.parametrize("fault", ["missing", "other responses", "other scores"])
def test_a_run_whose_scores_cannot_be_used_ties_with_all_and_says_why(tmp_path, fault):
    entries = put(tmp_path, good=wrote(around(0.9, 1)), bad=wrote(around(0.3, 2)), new=wrote(around(0.1, 3)))
    scores = tmp_path / "new" / "scores.csv"
    lines = scores.read_text().splitlines(keepends=True)
    if fault == "missing":
        scores.unlink()
    elif fault == "other responses":
        scores.write_text("".join(lines[:-1]))
    else:
        scores.write_text((tmp_path / "good" / "scores.csv").read_text())
    assert places(entries) == {"good": (1, 2), "bad": (2, 3), "new": (1, 3)}
    (ranking,) = leaderboard(entries)
    (note,) = ranking.notes
    assert "new" in note
    assert "lbw-eval score" in note


def test_runs_are_compared_on_the_prompts_that_both_have(tmp_path):
    """What a run lacks are easy prompts: its mean is lower, and nothing says that it is worse."""
    hard = np.concatenate([np.full(4, 0.95), around(0.5, 1, 116, 0.2)])
    lacking = wrote([*[None] * 4, *(hard[4:] + 0.001)])
    entries = put(tmp_path, whole=wrote(hard), partial=lacking)
    assert places(entries) == {"whole": (1, 2), "partial": (1, 2)}


def test_nobody_rises_by_what_fails(tmp_path):
    """With its three worst responses lost, a run is better on what is left, and yet above nobody."""
    shares = around(0.7, 1, 60)
    better = [0.02, 0.02, 0.02, *(share + 0.02 for share in shares[3:])]
    partial = [None, None, None, *better[3:]]
    entries = put(tmp_path, whole=wrote(shares), partial=wrote(partial))
    assert places(entries) == {"whole": (1, 2), "partial": (1, 2)}
    assert [ranked.entry.label for ranked in leaderboard(entries)[0].runs] == ["whole", "partial"]


def test_a_few_failures_do_not_hide_what_is_sure(tmp_path):
    shares = around(0.9, 1, 60)
    poor = [None, *(share - 0.5 for share in shares[1:])]
    entries = put(tmp_path, whole=wrote(shares), poor=wrote(poor))
    assert places(entries) == {"whole": (1, 1), "poor": (2, 2)}
    swapped = put(
        tmp_path / "more", whole=wrote([share - 0.5 for share in shares]), poor=wrote([None, *shares[1:]])
    )
    assert places(swapped) == {"poor": (1, 1), "whole": (2, 2)}


def test_a_failed_judgement_leaves_the_length_score_alone(tmp_path):
    shares = around(0.7, 1)
    unjudged = wrote(shares) | {
        name: replace(each, scores=None) for name, each in list(wrote(shares).items())[:20]
    }
    entries = put(tmp_path, one=unjudged, two=wrote([share - 0.1 for share in shares]))
    assert places(entries, sort="S_l") == {"one": (1, 1), "two": (2, 2)}
    assert places(entries) == {"one": (1, 2), "two": (1, 2)}


def test_without_any_judge_runs_are_ranked_by_length_score(tmp_path):
    nobody = {"judge": None, "judge_sha256": None}
    entries = put(tmp_path, a=(wrote(around(0.4, 1)), nobody), b=(wrote(around(0.8, 2)), nobody))
    (ranking,) = leaderboard(entries)
    assert ranking.metric.name == "S_l"
    assert [(r.entry.label, r.best, r.worst) for r in ranking.runs] == [("b", 1, 1), ("a", 2, 2)]


def test_a_run_without_the_score_comes_last_and_has_no_rank(tmp_path):
    unjudged = {name: replace(each, scores=None) for name, each in wrote(around(0.9, 1)).items()}
    entries = put(tmp_path, none=unjudged, some=wrote(around(0.4, 2)))
    assert places(entries) == {"some": (1, 1), "none": (None, None)}


def test_only_a_run_with_every_response_and_judgement_is_complete():
    def complete(predictions, judgements, **changes):
        summary, _ = summarise(replace(RUN_INFO, **changes), predictions, judgements, owed=2, seconds=1.0)
        ((ranked,),) = (board.runs for board in leaderboard([Entry(Path("r"), summary, "r")]))
        return ranked.complete

    both, opinions = [predicted("a"), predicted("b")], [judged("a"), judged("b")]
    assert complete(both, opinions)
    assert not complete(both, opinions[:1])
    assert not complete(both, [opinions[0], judged("b", scores=None)])
    assert not complete([predicted("a"), failed("b")], opinions[:1])
    assert not complete(both[:1], opinions[:1])
    assert complete(both, [], judge=None, judge_sha256=None)


@pytest.mark.parametrize(
    "change",
    [{"suite": "t"}, {"judge": "k"}, {"judge": None}, {"judge_sha256": "8" * 64}, {"convention": "product"}],
    ids=lambda change: next(iter(change)),
)
def test_what_is_not_comparable_is_never_ranked_together(tmp_path, change):
    shares = around(0.8, 1)
    a, b, c = put(tmp_path, a=wrote(shares), b=wrote(shares), c=wrote(shares))
    boards = leaderboard([a, b, replace(c, summary=replace(c.summary, **change))])
    assert [[ranked.entry.label for ranked in board.runs] for board in boards] == [["a", "b"], ["c"]]
    assert boards[0].title != boards[1].title
    assert [ranked.worst for ranked in boards[0].runs] == [2, 2]


def test_several_samples_are_averaged_and_a_lost_one_counts_at_its_ends(tmp_path):
    predictions = [
        predicted(f"p-{n}", sample, length=1000, response_length=600 + 10 * n)
        for n in range(12)
        for sample in range(2)
    ]
    lost = [failed("p-0", 1) if p.key == ("p-0", 1) else p for p in predictions]
    worse = [replace(p, response_length=p.response_length - 100) for p in predictions]
    for name, records in (("lost", lost), ("whole", predictions), ("worse", worse)):
        info = replace(
            RUN_INFO,
            model=name,
            samples=2,
            judge=None,
            judge_sha256=None,
            prompts={"n": 12, "sha256": "4" * 64},
        )
        summary, rows = summarise(info, records, [], owed=24, seconds=1.0)
        folder = tmp_path / name
        folder.mkdir()
        (folder / "run.yaml").write_text("")
        (folder / "summary.json").write_text(summary.to_json())
        (folder / "scores.csv").write_text(scores_csv(rows))
    found = places(collect([tmp_path]).entries)
    assert found["whole"] == (1, 2)
    assert found["worse"] == (3, 3)
    assert found["lost"] == (1, 2)


@pytest.mark.parametrize("sort", ["S_bar", "S_l"])
def test_what_is_apart_here_is_apart_in_check(tmp_path, sort):
    rng = np.random.default_rng(7)
    parted = 0
    for number in range(6):
        world = World(shift=0.3 * (number % 3), dull=0.2 * (number % 2))
        folder = tmp_path / str(number)
        for name, (lengths, dimensions) in zip(
            "ab",
            zip(world.lengths(rng, 60, 1), world.dimensions(rng, 60, 1), strict=True),
            strict=True,
        ):
            written = {
                f"p-{n:03d}": Wrote(1000, words_for(lengths[n, 0]), tuple(map(int, dimensions[n, 0])))
                for n in range(60)
            }
            write_run(folder / name, written, model=name)
        found = places(collect([folder]).entries, sort=sort)
        order = sorted(found, key=found.get)
        if found[order[0]][1] < found[order[1]][0]:
            parted += 1
            verdict = check(*(load_scores(folder / name) for name in order))
            (finding,) = [each for each in verdict.findings if str(each.metric) == sort]
            assert finding.outcome is Outcome.REGRESSED
    assert parted >= 2


def words_for(score: float) -> int:
    """Words at most 1,000 that give about this S_l where 1,000 are required."""
    return round(1000 / (1 + 2 * (100 - score) / 100))


@settings(max_examples=8, deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from([None, 0.3, 0.5, 0.9, 1.0]), min_size=8, max_size=8).filter(any),
        min_size=1,
        max_size=4,
    )
)
def test_ranks_are_a_range_that_holds_each_place(tmp_path_factory, runs):
    folder = tmp_path_factory.mktemp("runs")
    entries = put(folder, **{f"r{n}": wrote(shares) for n, shares in enumerate(runs)})
    (ranking,) = leaderboard(entries)
    for place, ranked in enumerate(ranking.runs, start=1):
        assert 1 <= ranked.best <= place <= ranked.worst <= len(runs)


def suspected(entry, share=0.1):
    """The run with this share of its responses marked as suspect, in summary.json and scores.csv."""
    rows = entry.rows
    count = round(share * len(rows))
    rows = [replace(row, suspect=("tokens",)) if n < count else row for n, row in enumerate(rows)]
    (entry.path / "scores.csv").write_text(scores_csv(rows))
    found = {"count": count, "by_reason": {"tokens": count}, "S_l": None}
    return Entry(entry.path, replace(entry.summary, suspects=found), entry.label)


def whatever(entries):
    (ranking,) = leaderboard(entries)
    return {ranked.entry.label: ranked.whatever for ranked in ranking.runs}


def test_a_rank_that_rests_on_suspects_says_which_others_they_leave_open(tmp_path):
    made = put(tmp_path, good=wrote(around(0.9, 1)), near=wrote(around(0.8, 2)), far=wrote(around(0.3, 3)))
    entries = {each.label: each for each in made}
    good, near, far = (entries[name] for name in ("good", "near", "far"))
    assert places([good, near, far]) == {"good": (1, 1), "near": (2, 2), "far": (3, 3)}
    assert whatever([good, near, far]) == {"good": None, "near": None, "far": None}
    spoilt = [good, suspected(near), far]
    assert places(spoilt) == {"good": (1, 1), "near": (2, 2), "far": (3, 3)}
    assert whatever(spoilt) == {"good": (1, 2), "near": (1, 2), "far": None}


def test_suspects_that_change_no_rank_are_no_doubt(tmp_path):
    entries = put(tmp_path, good=wrote(around(0.9, 1)), bad=wrote(around(0.3, 2)))
    assert set(whatever([suspected(each, 0.05) for each in entries]).values()) == {None}
