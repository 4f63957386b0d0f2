"""Figures as files: the same data give the same bytes, any name is safe, and no setting leaks."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import matplotlib
import pytest
from plotted import block, entry, written

from longbench_write.plots import deviation, dimensions, quality, scores
from longbench_write.plots import written as written_
from longbench_write.plots.forest import MANY
from longbench_write.plots.save import FORMATS, render
from longbench_write.plots.style import COLOURS, look, new_figure, styled

HOSTILE = (
    r"$\frac{x}{$ ${ % _ ^ \\",
    "<script>alert(1)</script> & ]]>",
    "line\nbreak\r\x1b[31m\u202e",
    "m" * 200,
    "通义千问 🙂 ไทย",
)


@pytest.fixture
def hostile(tmp_path):
    answers = [written(100 * 10**power, 90 * 10**power, type=HOSTILE[0]) for power in range(3)]
    return block(*(entry(tmp_path / str(n), name, answers) for n, name in enumerate(HOSTILE)))


def drawn(draw, *runs):
    with styled():
        return draw(block(*runs))


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_data_give_the_same_bytes(tmp_path, kind):
    run = entry(tmp_path / "m", "a model", [written(100, 90), written(900, 500)])
    first, second = (render(drawn(quality.draw, run), kind) for _ in range(2))
    assert first == second
    assert first.startswith({"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}[kind])


def test_hostile_names_are_drawn_as_text(hostile):
    for draw in (written_.draw, dimensions.draw, deviation.draw):
        root = ET.fromstring(render(drawn(draw, *hostile.entries), "svg"))
        assert not [element for element in root.iter() if element.tag.endswith("script")]


def test_many_models_have_a_row_each(tmp_path):
    answers = [written(100, 90), written(900, 500)]
    runs = [entry(tmp_path / str(n), f"model {n}", answers) for n in range(MANY + 1)]
    for draw, columns in ((scores.draw, 2), (dimensions.draw, 6)):
        axes = drawn(draw, *runs).axes
        assert len(axes) == columns
        assert [text.get_text() for text in axes[0].get_yticklabels()] == [run.label for run in runs]
    assert len(drawn(written_.draw, *runs).axes) == MANY + 1
    assert len(drawn(dimensions.draw_radar, *runs).axes) == MANY + 1


def test_models_differ_by_more_than_colour():
    looks = [look(place) for place in range(110)]
    assert len({(one.colour, one.marker) for one in looks}) == 110
    assert len({one.marker for one in looks[:11]}) == 11
    assert len(set(COLOURS)) == 10


def test_settings_of_matplotlib_are_as_before_and_have_no_say(tmp_path):
    run = entry(tmp_path / "m", "m", [written(100, 90), written(900, 500)])
    plain = render(drawn(dimensions.draw, run), "svg")
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "text.parse_math": True}):
        before = dict(matplotlib.rcParams)
        assert render(drawn(dimensions.draw, run), "svg") == plain
        assert dict(matplotlib.rcParams) == before


def test_titles_keys_and_notes_make_room_for_themselves():
    with styled():
        small = new_figure(4, 2)
        large = new_figure(4, 2, title="a title", subtitle="b\nc", note="word " * 60)
    assert small.get_size_inches()[0] == large.get_size_inches()[0] == 4
    assert large.get_size_inches()[1] > small.get_size_inches()[1] + 0.8
    assert all(text.count("\n") < 3 for text in (shown.get_text() for shown in large.texts))


def test_places_of_axes_are_rounded_as_the_solver_differs_between_processes(tmp_path):
    run = entry(tmp_path / "m", "m", [written(100, 90), written(900, 500)])
    figure = drawn(scores.draw, run)
    render(figure, "svg")
    for axes in figure.axes:
        points = axes.get_position(original=True).get_points()
        assert (points == points.round(6)).all()
