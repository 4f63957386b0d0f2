import contextlib
import itertools
import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import judged

from longbench_write.compare.agreement import (
    OVERALL,
    agree,
    consistency,
    medians,
    ordinal_alpha,
    read_human_scores,
    repeats_by_judge,
    weighted_kappa,
)
from longbench_write.errors import UsageError
from longbench_write.metrics.quality import DIMENSIONS

SCORE = st.integers(1, 5)


def plain_kappa(one, two):
    """From the confusion matrix, as Cohen (1968) writes it."""
    n, ones, twos = len(one), Counter(one), Counter(two)
    observed = sum((a - b) ** 2 for a, b in zip(one, two, strict=True)) / n
    expected = sum((a - b) ** 2 * ones[a] * twos[b] for a in ones for b in twos) / n**2
    return 1 - observed / expected


def plain_alpha(units):
    """From the coincidence matrix, as Krippendorff (2011) writes it, with the ordinal difference."""
    coincidences = Counter()
    for unit in units:
        values = [value for value in unit if value is not None]
        for a, b in itertools.permutations(values, 2):
            coincidences[a, b] += 1 / (len(values) - 1)
    totals = Counter()
    for (a, _), number in coincidences.items():
        totals[a] += number
    n = sum(totals.values())

    def difference(a, b):
        low, high = min(a, b), max(a, b)
        between = sum(totals[value] for value in totals if low <= value <= high)
        return (between - (totals[low] + totals[high]) / 2) ** 2

    observed = sum(number * difference(a, b) for (a, b), number in coincidences.items())
    expected = sum(totals[a] * totals[b] * difference(a, b) for a in totals for b in totals) / (n - 1)
    return 1 - observed / expected


def scored(rows, judge="a"):
    return medians(
        repeats_by_judge(judged(f"p-{n}", scores=row, judge=judge) for n, row in enumerate(rows))[judge]
    )


def test_a_table_worked_out_by_hand():
    first = scored([(1, 5, 3, 3, 2, 4), (2, 5, 3, 4, 2, 4), (3, 5, 3, 5, 2, 4), (4, 5, 3, 2, 2, 4)])
    second = scored([(1, 4, 3, 5, 2, 4), (3, 4, 3, 4, 2, 4), (3, 4, 3, 3, 2, 4), (5, 4, 3, 2, 2, 4)])
    rows = {row.dimension: row for row in agree(first, second)}
    relevance = rows["Relevance"]
    assert (relevance.n, relevance.exact, relevance.within_one, relevance.offset) == (4, 0.5, 1.0, 0.5)
    # Squared differences 0 1 0 1; E[a²] = 7.5, E[b²] = 11, E[a] = 2.5, E[b] = 3.
    assert relevance.kappa == pytest.approx(1 - 0.5 / (7.5 + 11 - 2 * 2.5 * 3), abs=1e-9)
    # Ranks 1 2 3 4 and 1 2.5 2.5 4.
    assert relevance.spearman == pytest.approx(4.5 / np.sqrt(5 * 4.5), abs=1e-9)
    assert rows["Accuracy"].exact == 0
    assert rows["Accuracy"].kappa == 0
    assert rows["Accuracy"].spearman is None
    assert rows["Coherence"].kappa is None
    assert rows["Coherence"].alpha is None
    assert (rows["Clarity"].within_one, rows["Clarity"].offset) == (0.5, 0.0)
    assert rows[OVERALL].exact == pytest.approx((0.5 + 0 + 1 + 0.5 + 1 + 1) / 6)
    assert rows[OVERALL].offset == pytest.approx((0.5 - 1 + 0 + 0 + 0 + 0) / 6)
    low, high = relevance.offset_ci
    assert low <= 0.5 <= high


@given(st.lists(st.tuples(SCORE, SCORE), min_size=2, max_size=40))
def test_kappa_and_alpha_against_their_definitions(pairs):
    one, two = (np.array(side) for side in zip(*pairs, strict=True))
    if len(set(one) | set(two)) > 1:
        assert weighted_kappa(one, two) == pytest.approx(plain_kappa(one.tolist(), two.tolist()), abs=1e-9)
        assert ordinal_alpha(np.stack([one, two])) == pytest.approx(plain_alpha(pairs), abs=1e-9)
    else:
        assert weighted_kappa(one, two) is None
        assert ordinal_alpha(np.stack([one, two])) is None


def test_alpha_leaves_missing_repeats_out():
    units = [(1, 2, None), (3, 3, 3), (5, None, 4), (2, 2, 1)]
    scores = np.array([[np.nan if value is None else value for value in unit] for unit in units]).T
    assert ordinal_alpha(scores) == pytest.approx(plain_alpha(units), abs=1e-9)


def test_only_what_both_scored_is_compared():
    first, second = scored([[3] * 6] * 5), scored([[3] * 6] * 3)
    assert agree(first, second)[-1].n == 3
    with pytest.raises(UsageError, match="response"):
        agree(first, {})


def test_repeats_count_by_their_median_and_show_a_judges_consistency():
    records = [judged("p-1", scores=[score] * 6, repeat=repeat) for repeat, score in enumerate((2, 4, 3))] + [
        judged("p-2", scores=[5] * 6),
        judged("p-2", scores=None, repeat=1),
    ]
    repeats = repeats_by_judge(records)["j"]
    assert medians(repeats) == {("p-1", 0): (3,) * 6, ("p-2", 0): (5,) * 6}
    own = consistency("j", repeats)
    assert (own.n, own.exact, own.within_one, own.deviation) == (1, 0.0, pytest.approx(2 / 3), 1.0)
    assert consistency("j", {("p-2", 0): [(5,) * 6]}) is None


def test_the_interval_of_the_offset_holds_the_truth_and_narrows():
    rng = random.Random(3)
    first = scored([[rng.randint(1, 4) for _ in DIMENSIONS] for _ in range(200)])
    second = {key: tuple(value + rng.randint(0, 1) for value in scores) for key, scores in first.items()}
    low, high = agree(first, second)[-1].offset_ci
    assert low < 0.5 < high
    assert high - low < 0.1


HEADER = "id,sample," + ",".join(DIMENSIONS)


def test_human_scores_come_from_a_csv_and_several_people_by_their_median(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(
        f"\ufeff{HEADER},note\np-1,0,1,2,3,4,5,5,first\np-1,0,3,2,3,4,5,5,second\np-2,1,4,4,4,4,4,4,\n",
        encoding="utf-8",
    )
    assert read_human_scores(path) == {("p-1", 0): (1, 2, 3, 4, 5, 5), ("p-2", 1): (4,) * 6}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,sample\np-1,0\n", "Relevance"),
        (f"{HEADER}\np-1,0,1,2,3,4,5,6\n", "line 2"),
        (f"{HEADER}\np-1,0,1,2,3,4,5,4.5\n", "line 2"),
        (f"{HEADER}\np-1,0,1,2\n", "line 2"),
        (f"{HEADER}\np-1,x,1,2,3,4,5,5\n", "line 2"),
        ("", "people.csv"),
    ],
)
def test_human_scores_that_are_none_are_named(tmp_path, text, message):
    path = tmp_path / "people.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=message):
        read_human_scores(path)


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused_in_one_sentence(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("human") / "people.csv"
    path.write_bytes(HEADER.encode() + b"\n" + content)
    with contextlib.suppress(UsageError):
        assert all(1 <= value <= 5 for scores in read_human_scores(path).values() for value in scores)
