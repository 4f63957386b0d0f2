import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import RUN_INFO, failed, judged, predicted

from longbench_write.compare.collection import Entry
from longbench_write.compare.ranking import leaderboard
from longbench_write.scoring.scoring import summarise

BASE, _ = summarise(RUN_INFO, [predicted("a")], [judged("a")], owed=1, seconds=1.0)


def entry(name, *, value=50.0, interval=(45.0, 55.0), owed=4, generated=4, done=4, **changes):
    """A run whose three scores and intervals are the same."""
    counts = BASE.counts | {"owed": owed, "generated": generated, "judged": done}
    scores = dict.fromkeys(("S_bar", "S_l", "S_q"), value)
    ci = dict.fromkeys(scores, interval)
    return Entry(Path(name), replace(BASE, model=name, counts=counts, ci=ci, **(scores | changes)), name)


def places(entries, **options):
    (ranking,) = leaderboard(entries, **options)
    return [(ranked.entry.label, ranked.best, ranked.worst) for ranked in ranking.runs]


def test_ranks_are_as_wide_as_the_intervals_leave_them():
    runs = [
        entry("top", value=90.0, interval=(85.0, 95.0)),
        entry("mid", value=70.0, interval=(60.0, 80.0)),
        entry("near", value=65.0, interval=(58.0, 72.0)),
        entry("far", value=59.0, interval=(55.0, 61.0)),
        entry("last", value=10.0, interval=(5.0, 15.0)),
    ]
    expected = [("top", 1, 1), ("mid", 2, 4), ("near", 2, 4), ("far", 2, 4), ("last", 5, 5)]
    assert places(runs) == places(runs[::-1]) == expected


def test_intervals_that_only_touch_overlap():
    low, high = entry("low", value=40.0, interval=(30.0, 50.0)), entry("high", interval=(50.0, 50.0))
    assert places([low, high]) == [("high", 1, 2), ("low", 1, 2)]


def test_equal_runs_stand_in_the_order_of_their_labels():
    assert places([entry("b"), entry("c"), entry("a")]) == [("a", 1, 3), ("b", 1, 3), ("c", 1, 3)]


def test_without_an_interval_a_run_ties_with_all():
    runs = [entry("known", value=90.0, interval=(89.0, 91.0)), entry("unknown", value=1.0, interval=None)]
    assert places(runs) == [("known", 1, 2), ("unknown", 1, 2)]


def test_an_incomplete_run_gains_nothing_by_what_it_lacks():
    whole = entry("whole", value=80.0, interval=(79.0, 81.0))
    partial = entry("partial", value=95.0, interval=(94.0, 96.0), generated=3, done=3)
    assert places([whole, partial]) == [("whole", 1, 2), ("partial", 1, 2)]
    hopeless = entry("hopeless", value=20.0, interval=(19.0, 21.0), generated=3, done=3)
    assert places([whole, hopeless]) == [("whole", 1, 1), ("hopeless", 2, 2)]


def test_what_the_missing_are_worth_widens_the_interval_from_0_to_100():
    partial = entry("partial", value=80.0, interval=(78.0, 82.0), generated=3, done=3)
    edges = {58.0: (1, 2), 57.9: (2, 2), 87.0: (1, 2), 87.1: (1, 1)}
    for edge, expected in edges.items():
        other = entry("other", value=edge, interval=(edge, edge))
        assert next(place[1:] for place in places([partial, other]) if place[0] == "other") == expected


def test_a_failed_judgement_leaves_the_length_score_alone():
    one = entry("one", done=2)
    assert places([one, entry("two", value=60.0, interval=(59.0, 61.0))], sort="S_l") == [
        ("two", 1, 1),
        ("one", 2, 2),
    ]
    assert places([one, entry("two", value=60.0, interval=(59.0, 61.0))], sort="S_q")[1] == ("one", 1, 2)


def test_without_any_judge_runs_are_ranked_by_length_score():
    nobody = {"S_bar": None, "S_q": None}
    runs = [entry("a", **nobody), entry("b", S_l=60.0, **nobody)]
    (ranking,) = leaderboard(runs)
    assert ranking.metric.name == "S_l"
    assert [ranked.entry.label for ranked in ranking.runs] == ["b", "a"]


def test_a_run_without_the_score_comes_last_and_has_no_rank():
    runs = [entry("none", S_bar=None, S_q=None, done=0), entry("some")]
    assert places(runs) == [("some", 1, 1), ("none", None, None)]


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
def test_what_is_not_comparable_is_never_ranked_together(change):
    boards = leaderboard([entry("a"), entry("b"), entry("c", **change)])
    assert [[ranked.entry.label for ranked in board.runs] for board in boards] == [["a", "b"], ["c"]]
    assert boards[0].title != boards[1].title
    assert [ranked.worst for ranked in boards[0].runs] == [2, 2]


scores = st.floats(0, 100)


@given(st.lists(st.tuples(scores, scores, st.booleans()), min_size=1, max_size=12))
def test_ranks_are_what_comparing_each_with_each_gives(values):
    runs = [
        entry(
            f"r{number}",
            value=value,
            interval=(max(0, value - half), min(100, value + half)) if known else None,
        )
        for number, (value, half, known) in enumerate(values)
    ]
    reach = {run.label: run.summary.ci["S_bar"] or (-math.inf, math.inf) for run in runs}
    for label, best, worst in places(runs):
        low, high = reach[label]
        above = sum(other_low > high for other_low, _ in reach.values())
        below = sum(other_high < low for _, other_high in reach.values())
        assert (best, worst) == (1 + above, len(runs) - below)
        assert 1 <= best <= worst <= len(runs)
