"""Several runs of one model as one."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gate_samples import made, write_run, wrote_well
from samples import RUN_INFO

from longbench_write.compare.baseline import baseline_text
from longbench_write.compare.loading import load_scores
from longbench_write.compare.metrics import parse_metric
from longbench_write.compare.paired import paired
from longbench_write.compare.pooling import pooled
from longbench_write.compare.run_spread import RunSpread, run_spread
from longbench_write.errors import UsageError
from longbench_write.gate.checking import check_run
from longbench_write.gate.document import verdict_json
from longbench_write.stats import sign_flip_p, t_quantile

S_L = parse_metric("S_l")


def night(folder, number, **changes):
    settings = RUN_INFO.settings | {"seed": number} | changes.pop("settings", {})
    start = f"2026-11-{number:02d}T03:00:00+00:00"
    return write_run(
        folder / f"n{number}", wrote_well(24, seed=number), start=start, settings=settings, **changes
    )


def nights(*tables):
    """Runs of these values, one a night, as one."""
    return pooled([replace(made(table), source=Path(f"night {n}")) for n, table in enumerate(tables)])


def test_a_prompts_value_is_the_mean_over_runs(tmp_path):
    runs = [load_scores(night(tmp_path, number)) for number in (1, 2, 3)]
    together = pooled(runs)
    assert (together.runs, together.info.samples, len(together.responses)) == (3, 3, 72)
    assert together.counts["owed"] == together.counts["judged"] == 72
    for prompt, mean in S_L.per_prompt(together).items():
        assert mean == pytest.approx(np.mean([S_L.per_prompt(run)[prompt] for run in runs]))
    assert pooled(runs[:1]) is runs[0]


def test_a_baseline_of_several_runs_is_read_as_they_are(tmp_path):
    together = pooled([load_scores(night(tmp_path, number)) for number in (1, 2, 3, 4, 5)])
    path = tmp_path / "main.json"
    path.write_text(baseline_text(together))
    values = json.loads(path.read_text())
    assert values["runs"] == 5
    assert values["made"] == [f"2026-11-0{number}T03:00:00+00:00" for number in range(1, 6)]
    kept = load_scores(path)
    assert (kept.responses, kept.counts, kept.runs) == (together.responses, together.counts, 5)
    single = night(tmp_path, 6)
    verdict = check_run(single, {"baseline": path})
    assert json.loads(verdict_json(verdict))["runs"] == [5, 1]
    assert verdict.exit_code == 0
    both = check_run([single, night(tmp_path, 7)], {"baseline": path})
    assert json.loads(verdict_json(both))["runs"] == [5, 2]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"model": "n"}, "model"),
        ({"writer": "outline"}, "writer"),
        ({"judge_sha256": "8" * 64}, "judge"),
        ({"settings": {"temperature": 1.0}}, "temperature"),
        ({"settings": {"top_p": 0.9}}, "top_p"),
        ({"prompts": {"n": 25, "sha256": "4" * 64}}, "prompts"),
    ],
)
def test_what_is_not_one_models_is_refused_and_named(tmp_path, changes, named):
    one, other = night(tmp_path, 1), night(tmp_path, 2, **changes)
    with pytest.raises(UsageError, match=rf"differ in {named}\b"):
        check_run([one, other], {"baseline": one})


def test_a_run_that_is_named_twice_and_what_is_none_are_refused(tmp_path):
    one = load_scores(night(tmp_path, 1))
    with pytest.raises(UsageError, match="twice"):
        pooled([one, one])
    path = tmp_path / "main.json"
    path.write_text(baseline_text(one))
    with pytest.raises(UsageError, match="runs alone"):
        pooled([one, load_scores(path)])


def test_what_moves_whole_runs_is_found_exactly_where_nothing_else_varies():
    prompts = np.linspace(40, 60, 20)[:, None]
    a = nights(*(prompts + shift for shift in (-2, 0, 2)))
    b = made(prompts)
    spread = run_spread(a, b, S_L, a.lengths.keys())
    assert spread.freedom == 2
    assert spread.variance == pytest.approx(4 * (1 / 3 + 1))
    found = paired(a, b, S_L)
    assert found.error == pytest.approx(np.sqrt(4 * (1 / 3 + 1)))
    half = 4.302653 * found.error
    assert found.interval == pytest.approx((-half, half), abs=1e-4)


def test_runs_that_differ_prompt_by_prompt_alone_add_nothing_else():
    rng = np.random.default_rng(3)
    prompts = rng.normal(60, 5, (40, 1))
    alike = [prompts + noise - noise.mean() for noise in rng.normal(0, 2, (5, 40, 1))]
    a, b = nights(*alike[:4]), made(alike[4])
    assert run_spread(a, b, S_L, a.lengths.keys()).variance == 0
    found = paired(a, b, S_L)
    assert found.half(0.9) == pytest.approx(t_quantile(0.95, 39) * found.error, rel=1e-5)
    apart = nights(*(table + shift for table, shift in zip(alike, (-3, -1, 1, 3), strict=False)))
    narrow, wide = (paired(side, b, S_L).interval for side in (a, apart))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize("freedom", [1, 4, 40])
def test_the_interval_is_students_over_runs_where_nothing_else_varies_and_over_prompts_where_runs_do_not(
    freedom,
):
    runs_alone = RunSpread(4.0, 0.0, freedom, 1.2)
    assert runs_alone.half_width(0.0, 120, 0.95) == pytest.approx(
        t_quantile(0.975, freedom) * np.sqrt(4.8), rel=1e-4
    )
    prompts_alone = RunSpread(0.0, 1.0, freedom, 1.2)
    assert prompts_alone.half_width(2.0, 12, 0.95) == pytest.approx(2 * t_quantile(0.975, 11), rel=1e-4)


@pytest.mark.parametrize("freedom", [1, 4, 40])
def test_the_p_value_is_that_of_the_level_whose_interval_ends_at_zero(freedom):
    half = t_quantile(0.975, freedom) * np.sqrt(4.8)
    assert RunSpread(4.0, 0.0, freedom, 1.2).p(-half, 0.0, 120) == pytest.approx(0.05, rel=1e-3)
    over_prompts = 2 * t_quantile(0.995, 11)
    assert RunSpread(0.0, 1.0, freedom, 1.2).p(over_prompts, 2.0, 12) == pytest.approx(0.01, rel=1e-3)
    both = RunSpread(4.0, 1.0, freedom, 1.2)
    assert both.p(both.half_width(1.0, 120, 0.9), 1.0, 120) == pytest.approx(0.1, rel=1e-3)
    assert both.p(0.0, 1.0, 120) == pytest.approx(1.0)


def test_the_p_value_of_pooled_runs_knows_what_nights_do():
    """By the exchange of prompts alone, half of them are 0.05 or less."""
    rng = np.random.default_rng(5)
    found = []
    for _ in range(100):
        prompts = rng.normal(60, 5, (40, 1))
        tables = [prompts + rng.normal(0, 1) + rng.normal(0, 3, (40, 1)) for _ in range(6)]
        found.append(paired(nights(*tables[:5]), made(tables[5]), S_L))
    assert sum(each.p <= 0.05 for each in found) <= 5 + 3 * np.sqrt(100 * 0.05 * 0.95)
    assert sum(sign_flip_p(each.evidence.change) <= 0.05 for each in found) > 30
    assert all(each.p > 0.04 for each in found if each.interval[0] <= 0 <= each.interval[1])


@pytest.mark.parametrize("between", [0.0, 0.5, 0.8])
def test_intervals_of_a_baseline_of_five_runs_hold_whatever_share_of_the_variance_lies_between_runs(between):
    """By t with Satterthwaite's degrees of freedom, 4 and 5% lie outside."""
    rng = np.random.default_rng(7)
    sides = 1 / 5 + 1
    outside = []
    for _ in range(1000):
        runs = rng.normal(0, 1, 6)
        spread = RunSpread(runs[:5].var(ddof=1), 1 - between, 4, sides)
        half = spread.half_width(np.sqrt((1 - between) * sides), 120, 0.98)
        outside.append(abs(runs[5] - runs[:5].mean()) > half)
    assert np.mean(outside) <= 0.02 + 3 * np.sqrt(0.02 * 0.98 / 1000)


def test_intervals_of_pooled_runs_cover_what_nights_do():
    covered = 0
    rng = np.random.default_rng(5)
    for _ in range(200):
        prompts = rng.normal(60, 8, (30, 1))
        drawn = [prompts + rng.normal(0, 1.5) + rng.normal(0, 4, (30, 1)) for _ in range(8)]
        low, high = paired(nights(*drawn[:5]), nights(*drawn[5:]), S_L).interval
        covered += low <= 0 <= high
    assert covered >= 184


def test_nights_beside_their_own_pool_have_no_settings_that_differ(tmp_path):
    runs = [night(tmp_path, number) for number in (1, 2, 3)]
    path = tmp_path / "main.json"
    path.write_text(baseline_text(pooled([load_scores(run) for run in runs])))
    for new in (runs[2:], runs[1:]):
        assert not [note for note in check_run(new, {"baseline": path}).notes if "settings" in note]
    other = night(tmp_path, 4, samples=2)
    (note,) = [note for note in check_run(other, {"baseline": path}).notes if "settings" in note]
    assert "samples 3 → 2" in note


def test_a_run_with_fewer_samples_of_some_prompts_is_not_pooled(tmp_path):
    prompts = {"n": 24, "sha256": "4" * 64, "samples": {"p-000": 1}}
    runs = [load_scores(night(tmp_path, number, samples=2, prompts=prompts)) for number in (1, 2)]
    with pytest.raises(UsageError, match="fewer samples"):
        pooled(runs)
