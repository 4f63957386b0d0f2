"""The figure of what changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gate_samples import World, made

from longbench_write.compare.paired import differences
from longbench_write.compare.pooling import pooled
from longbench_write.plots.differences import differences_figure
from longbench_write.plots.save import render


def figure(a, b, *, judged):
    return differences_figure(a, b, differences(a, b, judged=judged))


def test_a_panel_a_headline_and_a_row_a_range():
    a, b = World(shift=1.0).pair(np.random.default_rng(1), 24)
    drawn = figure(a, b, judged=True)
    assert len(drawn.axes) == 3
    labels = [label.get_text() for label in drawn.axes[0].get_yticklabels()]
    assert labels[:2] == ["all (24)", "[0,500) (6)"]
    for axes in drawn.axes:
        assert len(axes.get_yticks()) == 5
        assert axes.get_xlim() == drawn.axes[0].get_xlim()


def test_intervals_are_said_to_be_over_runs_where_a_side_is_several():
    def said(*runs):
        a = pooled([replace(made([[5], [6]]), source=Path(f"night-{number}")) for number in runs])
        return any("runs" in text.get_text() for text in figure(a, made([[4], [7]]), judged=False).texts)

    assert said(1, 2)
    assert not said(1)


def test_without_a_judge_there_is_one_panel():
    assert len(figure(made([[5], [6]]), made([[4], [7]]), judged=False).axes) == 1


@pytest.mark.parametrize("values", [[[5]], [[5], [5]]], ids=["one prompt", "no scatter"])
def test_little_and_hostile_names_are_drawn(values):
    a, b = made(values, model="$\\frac{"), made(values, model="模型\n<svg>" * 30)
    assert render(figure(a, b, judged=False), "png").startswith(b"\x89PNG")


def test_the_same_data_give_the_same_bytes():
    a, b = World().pair(np.random.default_rng(1), 24)
    assert render(figure(a, b, judged=True), "svg") == render(figure(a, b, judged=True), "svg")
