"""Writers' folders: the shipped ones, one's own, and what no card can say."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from longbench_write.assets import assets
from longbench_write.errors import UsageError
from longbench_write.writers.cards import read_folder, shipped_folders
from longbench_write.writers.planned import PlannedWriter
from longbench_write.writers.registry import WRITERS, load_writer

SHIPPED = ["agentwrite", "agentwrite-official", "agentwrite-parallel", "agentwrite-review", "extend", "null"]


def own(tmp_path, card, **templates):
    folder = tmp_path / "mine"
    folder.mkdir(exist_ok=True)
    (folder / "writer.yaml").write_text(card, encoding="utf-8")
    for name, text in templates.items():
        (folder / f"{name.replace('_', '.')}.txt").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_writers_can_be_made_each_under_its_folders_name():
    assert list(shipped_folders()) == SHIPPED
    assert WRITERS.built_in == ["direct", *SHIPPED]
    for name in SHIPPED:
        if name != "agentwrite-official":
            assert load_writer(name).name == name


def test_official_templates_are_the_benchmarks_own(monkeypatch):
    # Stand-ins for the two official files, which are never committed.
    monkeypatch.setattr(assets, "text", {"agentwrite-plan": "$INST$ a", "agentwrite-write": "$INST$ b"}.get)
    writer = load_writer("agentwrite-official")
    assert isinstance(writer, PlannedWriter)
    sampling = writer.configuration["write"]
    assert sampling == {"temperature": 1.0, "max_tokens": 4096}


def test_a_folder_of_ones_own_works_by_path_and_its_templates_are_part_of_what_it_is(tmp_path):
    card = "description: Mine.\nmethod: plan\nplanner: even\n"
    folder = own(tmp_path, card, write_en="one $STEP$", write_zh="two $STEP$")
    first, by_card = load_writer(str(folder)), load_writer(str(folder / "writer.yaml"))
    assert first.name == "mine"
    assert first.configuration == by_card.configuration
    own(tmp_path, card, write_en="another $STEP$")
    assert load_writer(str(folder)).configuration != first.configuration


@pytest.mark.parametrize(
    ("card", "named"),
    [
        ("description: Mine.\nmethod: pla\n", "plan"),
        ("description: Mine.\n", "method"),
        ("description: Mine.\nmethod: plan\nordr: serial\n", "order"),
        ("description: Mine.\nmethod: plan\norder: sometimes\n", "order"),
        ("description: Mine.\nmethod: plan\nreview: .nan\n", "review"),
        ("description: Mine.\nmethod: plan\nmost_steps: '50'\n", "most_steps"),
        ("description: Mine.\nmethod: plan\nwords: [1, 2, 3]\n", "words"),
        ("method: plan\n", "description"),
        ("description: Mine.\nmethod: plan\nplanner: even\n", "write.en.txt"),
        ("- a list\n", "writer.yaml"),
    ],
)
def test_what_no_card_can_say_is_refused_by_name(tmp_path, card, named):
    with pytest.raises(UsageError, match=named):
        load_writer(str(own(tmp_path, card)))


def test_an_unknown_writer_is_told_the_nearest(tmp_path):
    with pytest.raises(UsageError, match="'agentwrite'"):
        load_writer("agentwrit")
    with pytest.raises(UsageError):
        load_writer(str(tmp_path))


@settings(max_examples=40)
@given(
    st.dictionaries(
        st.sampled_from(
            ["description", "method", "order", "planner", "plan", "words", "review", "templates", "x"]
        ),
        st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.lists(st.integers(), max_size=3),
    )
)
def test_any_values_make_a_card_or_one_error(tmp_path_factory, values):
    import yaml

    folder = own(
        tmp_path_factory.mktemp("card"), yaml.safe_dump({"description": "d", "method": "plan"} | values)
    )
    try:
        assert read_folder(folder).name == "mine"
    except UsageError:
        return
