from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.config import RunConfig, build_config, read_config
from longbench_write.errors import UsageError


def test_the_defaults_are_the_papers():
    config = build_config({"model": "m"})
    assert (config.temperature, config.max_tokens, config.seed) == (0.5, 32768, 42)
    assert (config.suite, config.out) == ("longbench-write", Path("results"))


def test_values_may_come_as_text_or_lists():
    config = build_config(
        {"model": "m", "ids": "a-1, a-2", "base_url": ["http://u", "http://v"], "temperature": "0.2"}
    )
    assert (config.ids, config.base_url, config.temperature) == (
        ("a-1", "a-2"),
        ("http://u", "http://v"),
        0.2,
    )
    assert build_config({"model": "m", "temperature": "default"}).temperature == "default"


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({}, "--model is needed"),
        ({"model": "m", "modle": 1}, "unknown configuration key 'modle'; did you mean 'model'"),
        ({"model": "m", "limit": 0}, "--limit 0: input should be greater than or equal to 1"),
        ({"model": "m", "samples": 0}, "--samples 0"),
        ({"model": "m", "samples": True}, "--samples True"),
        ({"model": "m", "max_tokens": 1.5}, "--max-tokens 1.5"),
        ({"model": "m", "temperature": -1}, "--temperature -1"),
        ({"model": "m", "temperature": float("nan")}, "--temperature nan"),
        (
            {"model": "m", "long_responses": "chapter"},
            "unknown --long-responses 'chapter'; did you mean 'chapters'",
        ),
        ({"model": 7}, "--model 7"),
        ({"model": ""}, "--model is empty"),
    ],
)
def test_what_is_refused_is_one_sentence(values, says):
    with pytest.raises(UsageError) as caught:
        build_config(values)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_yaml_file_may_spell_keys_as_options(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("model: m\nmax-tokens: 9\nids: [a, b]\n")
    config = build_config(read_config(path))
    assert (config.max_tokens, config.ids) == (9, ("a", "b"))


@pytest.mark.parametrize("text", ["- a", "a: [", "\x00", "!!python/object/apply:os.system ['true']", "", "7"])
def test_a_bad_yaml_file_is_refused(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(UsageError, match="--config"):
        read_config(path)


@given(st.dictionaries(st.text(max_size=12), st.none() | st.integers() | st.floats() | st.text(max_size=5)))
def test_any_mapping_is_a_configuration_or_refused(values):
    try:
        config = build_config(values | {"model": "m"})
    except UsageError as error:
        refused = str(error)
    else:
        assert isinstance(config, RunConfig)
        return
    assert "\n" not in refused


@pytest.mark.parametrize(
    "given",
    [
        ["block-size=8", "enforce_eager=true", "quantization=fp8"],
        {"block-size": 8, "enforce_eager": True, "quantization": "fp8"},
    ],
)
def test_engine_arguments_come_as_words_or_as_a_mapping(given):
    config = build_config({"model": "m", "engine_arg": given, "judge_engine_arg": given})
    assert config.engine_arg == {"block_size": 8, "enforce_eager": True, "quantization": "fp8"}
    assert config.judge_engine_arg == config.recorded()["engine_arg"] == config.engine_arg


def test_remote_code_is_yes_no_or_the_cards_business():
    assert build_config({"model": "m"}).trust_remote_code is None
    assert build_config({"model": "m", "trust_remote_code": False}).trust_remote_code is False
    with pytest.raises(UsageError, match="--trust-remote-code"):
        build_config({"model": "m", "trust_remote_code": "perhaps"})


@pytest.mark.parametrize(("name", "value"), [("gpu_memory_utilization", 0), ("tensor_parallel_size", 0)])
def test_a_share_and_a_count_have_bounds(name, value):
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} 0"):
        build_config({"model": "m", name: value})
