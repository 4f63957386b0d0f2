"""One model under several writers; and blocks of which runs lack a score, a judge or a cost."""

from __future__ import annotations

from dataclasses import replace

import pytest
from plotted import block, entry, written

from longbench_write.plots import figures, left_out, writers
from longbench_write.plots.save import render

USAGE = {"prompt_tokens": 100, "completion_tokens": 300, "reasoning_tokens": None, "cached_tokens": None}
ANSWERS = (written(100, 90, usage=USAGE), written(900, 500, usage=USAGE), written(5000, 900, usage=USAGE))


def run(folder, model, writer="direct", answers=ANSWERS, label=None, cost=None, **more):
    made = entry(folder, model, answers, writer=writer, **more)
    name = label or (model if writer == "direct" else f"{model} + {writer}")
    summary = made.summary if cost is None else replace(made.summary, cost=cost)
    return replace(made, summary=summary, label=name)


@pytest.fixture
def three(tmp_path):
    """Two models under several writers, and one under one."""
    return block(
        run(tmp_path / "1", "big", "agentwrite", cost={"model": 6.0, "planner": 3.0, "judge": 1.0}),
        run(tmp_path / "2", "big", cost={"model": 3.0, "judge": 1.0}),
        run(tmp_path / "3", "alone"),
        run(tmp_path / "4", "small", "extend", label="small + extend (temperature 1)"),
        run(tmp_path / "5", "small", "agentwrite", judge=False),
    )


def test_a_row_is_a_model_with_its_direct_run_first(three):
    assert writers.groups(three) == [
        writers.ModelRuns("big", (1, 0), ("direct", "agentwrite")),
        writers.ModelRuns("small", (4, 3), ("agentwrite", "extend (temperature 1)")),
    ]


def test_a_response_costs_what_its_plan_and_its_text_cost(three):
    assert [writers.response_cost(one) for one in three.entries[:3]] == [3.0, 1.0, None]
    assert writers.response_tokens(three.entries[0]) == 400


def test_scores_and_cost_stand_beside_each_other(three):
    figure = figures(three)["writers"]
    assert len(figure.axes) == 2 * 3
    of_length, of_quality, cost = figure.axes[:3]
    assert [bar.get_height() for bar in cost.patches] == [1.0, 3.0]
    assert [bar.get_height() for bar in figure.axes[5].patches] == [0, 0]
    assert [text.get_text() for text in figure.axes[5].texts] == ["?", "?"]
    for axes in (of_length, of_quality):
        assert [tick.get_text().split("\n")[0] for tick in axes.get_xticklabels()] == [
            *("[0,500)", "[500,2000)", "[4000,20000]")
        ]


@pytest.mark.parametrize(("usage", "panels"), [(USAGE, 3), (None, 2)])
def test_where_no_cost_is_known_tokens_stand_there_or_nothing(tmp_path, usage, panels):
    answers = [answer | {"usage": usage} for answer in ANSWERS]
    runs = [run(tmp_path / name, "m", name, answers) for name in ("direct", "agentwrite")]
    figure = figures(block(*runs))["writers"]
    assert len(figure.axes) == panels
    if usage:
        assert [bar.get_height() for bar in figure.axes[-1].patches] == [400, 400]


def test_one_writer_a_model_makes_no_such_figure_and_none_is_missed(tmp_path):
    both = block(run(tmp_path / "1", "a"), run(tmp_path / "2", "b", "agentwrite"))
    assert "writers" not in figures(both)
    assert not left_out(both)


def test_whatever_runs_lack_the_rest_is_drawn(tmp_path):
    unmeasured = [written(0, 90) | {"length": None} for _ in range(2)]
    odd = {
        "whole": {},
        "only-quality": {"answers": unmeasured},
        "only-length": {"answers": [answer | {"scores": None} for answer in ANSWERS]},
        "nothing": {"answers": [answer | {"scores": None} for answer in unmeasured]},
        "judged-where-unmeasured": {
            "answers": [*unmeasured, *(answer | {"scores": None} for answer in ANSWERS)]
        },
        "empty": {"answers": []},
        "uncounted": {"answers": [answer | {"usage": None} for answer in ANSWERS]},
    }
    runs = {name: run(tmp_path / name, "m", name, **given) for name, given in odd.items()}
    pairs = [("only-quality", "only-length"), ("only-quality", "whole"), ("nothing", "uncounted")]
    for some in [*((name,) for name in odd), *pairs, tuple(odd)]:
        shown = block(*(runs[name] for name in some))
        made = figures(shown)
        assert render(made["by-length"], "png") if "by-length" in made else left_out(shown)
    ruler = block(
        replace(runs["only-quality"], summary=replace(shown.entries[1].summary, suite="longwrite-ruler"))
    )
    assert "ruler" not in figures(ruler)
    assert render(figures(shown)["writers"], "png")
