import json
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


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (["top_p=0.8", "top_k=50"], {"top_p": 0.8, "top_k": 50}),
        (
            ["a.b=1", "a.c=x y", "reasoning_effort=low"],
            {"a": {"b": 1, "c": "x y"}, "reasoning_effort": "low"},
        ),
        (
            ["chat_template_kwargs.enable_thinking=False"],
            {"chat_template_kwargs": {"enable_thinking": False}},
        ),
        (['stop=["a=b"]', "x=", "flag=true"], {"stop": ["a=b"], "x": "", "flag": True}),
        ({"a.b": 1, "a.c": [2]}, {"a": {"b": 1, "c": [2]}}),
        ({"a": {"b": 1}}, {"a": {"b": 1}}),
    ],
)
def test_fields_of_a_request_are_json_or_text_and_nest(given, read):
    assert build_config({"model": "m", "gen": given}).gen == read


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"gen": ["top_p"]}, "--gen"),
        ({"gen": ["=1"]}, "--gen"),
        ({"gen": ["a..b=1"]}, "--gen a..b"),
        ({"gen": ["top_p=1", "top_p=2"]}, "--gen top_p is given twice"),
        ({"gen": ["a=1", "a.b=2"]}, "--gen a.b"),
        ({"gen": ["temperature=1"]}, "--temperature"),
        ({"gen": ["seed=1"]}, "--seed"),
        ({"gen": ["messages=[]"]}, "--gen messages"),
        ({"gen": {"x": float("nan")}}, "--gen"),
        ({"gen": ["x=NaN"]}, "--gen"),
        ({"extra_body": "[1]"}, "--extra-body"),
        ({"extra_body": "{"}, "--extra-body"),
        ({"extra_body": '{"top_k": 1, "top_k": 2}'}, "'top_k'"),
        ({"extra_body": '{"model": "x"}'}, "--extra-body model"),
        ({"header": ["X-A"]}, "--header"),
        ({"header": ["X-A=not a name, secret"]}, "--header X-A"),
        ({"header": ["X A=NAME"]}, "--header X A"),
        ({"header": ["X-A=sk-secret"]}, "--header X-A"),
        ({"judge_header": ["X-A=sk-secret"]}, "--judge-header X-A"),
        ({"system": "@/no/such/file"}, "--system @/no/such/file"),
        ({"max_tokens_field": "two words"}, "--max-tokens-field"),
        ({"seed": "nine"}, "--seed"),
        ({"seed": -1}, "--seed"),
    ],
)
def test_options_of_a_request_that_cannot_be_are_one_sentence(values, says):
    with pytest.raises(UsageError) as caught:
        build_config({"model": "m"} | values)
    assert says in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_other_options_of_a_request(tmp_path):
    (tmp_path / "system.txt").write_text("Be long.\n")
    config = build_config(
        {
            "model": "m",
            "system": f"@{tmp_path / 'system.txt'}",
            "extra_body": '{"provider": {"only": ["p"]}}',
            "header": ["X-Org=MY_ORG"],
            "seed": "none",
            "max_tokens_field": "max_output_tokens",
        }
    )
    assert config.system == "Be long.\n"
    assert config.extra_body == {"provider": {"only": ["p"]}}
    assert config.header == {"X-Org": "MY_ORG"}
    assert config.seed == "none"
    assert config.max_tokens_field == "max_output_tokens"
    assert build_config({"model": "m", "system": "Be long.", "seed": "7"}).seed == 7


@given(st.lists(st.text()), st.text(), st.lists(st.text()))
def test_any_text_for_options_of_a_request_is_read_or_refused(gen, body, headers):
    try:
        config = build_config({"model": "m", "gen": gen, "extra_body": body, "header": headers})
    except UsageError as error:
        refused = str(error)
    else:
        json.dumps([config.gen, config.extra_body, config.header])
        return
    assert "\n" not in refused


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
