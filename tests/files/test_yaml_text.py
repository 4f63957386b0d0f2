import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.config import build_config, read_config
from longbench_write.errors import RunFolderError, UsageError
from longbench_write.files.yaml_text import load_yaml, read_mapping
from longbench_write.gate.config import read_gate
from longbench_write.judging.cards import load_card
from longbench_write.runs.manifest_file import read_manifest
from longbench_write.runs.store import load_run
from longbench_write.writers.cards import read_folder

LAUGHS = "a0: &a0 [ha, ha, ha, ha, ha, ha, ha, ha, ha]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
MERGES = "m0: &m0 {k: 1}\n" + "".join(
    f"m{n}: &m{n} {{<<: [{', '.join([f'*m{n - 1}'] * 9)}]}}\n" for n in range(1, 12)
)
HOSTILE = {
    "laughs": LAUGHS,
    "merged laughs": MERGES,
    "itself": "a: &a [*a]\n",
    "object": "!!python/object/apply:os.system ['true']\n",
    "name": "a: !!python/name:os.system\n",
    "deep": "[" * 1000,
    "deep maps": "{a: " * 1000,
    "no date": "a: 2001-99-99\n",
    "no truth": "a: !!bool maybe\n",
    "no number": "a: !!int ''\n",
    "no time": "a: !!timestamp x\n",
    "long number": f"a: {'9' * 5000}\n",
    "key that is a list": "? [a]\n: b\n",
    "control character": "a: \x1b\n",
    "two documents": "a: 1\n---\nb: 2\n",
    "a key twice": "a: 1\nb: 2\na: 1\n",
    "a key twice, deep": "a: [{b: {c: 1, c: 2}}]\n",
    "a key twice, quoted": "a: {b: 1, 'b': 2}\n",
    "a key twice, as truth": "{yes: 1, true: 2}\n",
    "a key twice, as number": "{1: 1, 1.0: 2}\n",
    "a key twice, in two bases": "{0x10: 1, 16: 2}\n",
    "a key twice behind an alias": "a: &a {b: 1, b: 2}\nc: *a\n",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_yaml_is_refused(text):
    with pytest.raises(yaml.YAMLError):
        load_yaml(text)


@pytest.mark.parametrize("name", ["laughs", "object", "no date", "itself"])
def test_each_file_of_ours_refuses_it_in_one_sentence(tmp_path, name):
    for file in ("run.yaml", "judge.yaml", "config.yaml"):
        (tmp_path / file).write_text(HOSTILE[name])
    for read in (read_config, read_gate):
        with pytest.raises(UsageError, match=r"config\.yaml"):
            read(tmp_path / "config.yaml")
    with pytest.raises(UsageError, match=r"judge\.yaml"):
        load_card(str(tmp_path))
    with pytest.raises(RunFolderError, match=r"run\.yaml"):
        load_run(tmp_path)


def test_what_is_plain_is_read_as_ever():
    text = "model: m\nurls: &u [a, b]\nothers: *u\nn: 1.5\nwhen: 2026-11-21\nnothing:\n"
    assert load_yaml(text) == yaml.safe_load(text)
    assert load_yaml("") is None
    merged = "a: &a {1: x, no: y}\nb: {<<: *a, 2: z}\n"
    assert (
        load_yaml(merged)
        == yaml.safe_load(merged)
        == {"a": {1: "x", False: "y"}, "b": {1: "x", False: "y", 2: "z"}}
    )
    assert load_yaml("[[1, 2, 3], [4, 5, 6]]") == [[1, 2, 3], [4, 5, 6]]


def test_as_many_values_as_a_text_has_characters_are_read_and_no_alias_adds_more(monkeypatch):
    monkeypatch.setattr("longbench_write.files.yaml_text.MOST_NODES", 20)
    assert load_yaml(f"{list(range(100))}") == list(range(100))
    nine = "[" + ",".join("*a" for _ in range(9)) + "]"
    with pytest.raises(yaml.YAMLError, match="aliases"):
        load_yaml(f"- &a [1, 2, 3, 4, 5, 6, 7, 8, 9]\n- {nine}\n")
    with pytest.raises(yaml.YAMLError, match="aliases"):
        load_yaml("&a [" + "1, " * 30 + "*a]")


def test_a_key_that_stands_twice_is_named_with_both_lines(tmp_path):
    path = tmp_path / "config.yaml"
    path.write_text("# mine\nmodel: m\nseed: 1\ngen:\n  seed: 2\nmodel: n\n")
    with pytest.raises(UsageError, match=r"line 6: .*'model'.* line 2\b"):
        read_config(path)


def test_equal_keys_of_different_mappings_and_types_are_read():
    text = "a: &a {x: 1}\nb: *a\nc: {x: 1, '1': 2, 1: 3}\nd: {<<: *a, x: 2}\n"
    assert load_yaml(text) == yaml.safe_load(text)


@given(st.text() | st.text(st.sampled_from("&*!<>[]{}:-? \n'\"|#%@`,.0189abty~=")))
def test_any_text_is_a_document_or_refused(text):
    try:
        load_yaml(text)
    except yaml.YAMLError:
        return


@pytest.mark.parametrize("error", [UsageError, RunFolderError])
@pytest.mark.parametrize("content", [*map(str.encode, HOSTILE.values()), b"\xff", b"", b"[1]", b"text", None])
def test_a_file_that_is_no_mapping_is_the_callers_error_and_names_the_option(tmp_path, content, error):
    path = tmp_path / "f.yaml"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(error) as caught:
        read_mapping(path, "--config", error=error)
    assert str(caught.value).startswith(f"--config {path} ")
    assert len(str(caught.value).splitlines()) == 1


def test_a_file_larger_than_any_is_not_read_whole(tmp_path, monkeypatch):
    monkeypatch.setattr("longbench_write.files.yaml_text.LARGEST", 100)
    (tmp_path / "f.yaml").write_text(f"a: {'b' * 97}")
    assert read_mapping(tmp_path / "f.yaml") == {"a": "b" * 97}
    (tmp_path / "f.yaml").write_text(f"a: {'b' * 98}")
    with pytest.raises(UsageError):
        read_mapping(tmp_path / "f.yaml")


@pytest.mark.parametrize(
    "text", ["max-tokens: 5\nmax_tokens: 6\n", "model: m\nengine_arg: {max-num-seqs: 1, max_num_seqs: 2}\n"]
)
def test_an_option_in_two_spellings_stands_twice(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match=r"max_\w+.* twice"):
        build_config(read_config(path))


@pytest.mark.parametrize(
    ("file", "read", "error"),
    [
        ("judge.yaml", lambda folder: load_card(str(folder)), UsageError),
        ("writer.yaml", read_folder, UsageError),
        ("run.yaml", read_manifest, RunFolderError),
        ("lbw-gate.yaml", lambda folder: read_gate(folder / "lbw-gate.yaml"), UsageError),
        ("config.yaml", lambda folder: read_config(folder / "config.yaml"), UsageError),
    ],
)
def test_each_yaml_file_is_refused_with_the_line_of_a_key_that_stands_twice(tmp_path, file, read, error):
    (tmp_path / file).write_text("model: m\nseed: 1\nmodel: n\n")
    with pytest.raises(error, match=r"line 3: .*'model'.* line 1\b"):
        read(tmp_path)
