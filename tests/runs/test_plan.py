from datetime import date

import pytest

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.local import LocalBackend
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.backends.vllm.backend import VLLMBackend
from longbench_write.config import build_config
from longbench_write.errors import UsageError
from longbench_write.runs.plan import (
    Role,
    Roles,
    check_options,
    judge_role,
    one_at_a_time,
    share_model,
    shared_spec,
    writer_role,
)


def config(**values):
    return build_config({"model": "org/model", "judge": "none"} | values)


def writer(notes=None, **values):
    return writer_role(config(**values), ([] if notes is None else notes).append)


def judge(**values):
    settings = config(judge="local-smollm2", judge_backend="vllm", **values)
    return judge_role(settings, seed=42, max_tokens=500, note=print)


def test_a_path_is_sent_to_no_server_that_nobody_named(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "k")
    with pytest.raises(UsageError, match="no such folder"):
        writer(model="./m", backend="openai")
    settings = config(judge="rubric", judge_model="/no/such/folder")
    with pytest.raises(UsageError, match="no such folder"):
        judge_role(settings, seed=42, max_tokens=500, note=print)


def test_engine_options_reach_the_engine_under_vllms_names():
    spec = writer(
        tensor_parallel_size=2,
        data_parallel_size=4,
        max_model_len=40960,
        gpu_memory_utilization=0.8,
        dtype="bfloat16",
        trust_remote_code=True,
        revision="main",
        engine_arg=["quantization=fp8", "enforce-eager=true", 'hf_overrides={"a": [1]}', "block_size=32"],
    ).spec
    assert spec.kind == "vllm"
    assert spec.engine_args == {
        "tensor_parallel_size": 2,
        "data_parallel_size": 4,
        "max_model_len": 40960,
        "gpu_memory_utilization": 0.8,
        "dtype": "bfloat16",
        "trust_remote_code": True,
        "revision": "main",
        "quantization": "fp8",
        "enforce_eager": True,
        "hf_overrides": {"a": [1]},
        "block_size": 32,
    }
    assert spec.concurrency == 512


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"dtype": "half", "engine_arg": {"dtype": "float"}}, "--dtype and --engine-arg dtype"),
        ({"engine_arg": {"model": "other"}}, "--engine-arg model"),
        ({"prompt_format": "nowhere.jinja"}, "--prompt-format nowhere.jinja"),
    ],
)
def test_engine_options_that_contradict_are_refused(values, told):
    with pytest.raises(UsageError, match=told):
        writer(**values)


@pytest.mark.parametrize("text", ["quantization", "=fp8", "a={"])
def test_an_engine_argument_is_key_and_value(text):
    with pytest.raises(UsageError, match="--engine-arg"):
        config(engine_arg=[text])


@pytest.mark.parametrize("name", ["THUDM/LongWriter-glm4-9b", "THUDM/LongWriter-llama3.1-8b"])
def test_no_code_of_a_repository_is_run_unless_it_is_asked_for(name):
    assert writer(model=name).spec.engine_args == {}
    assert writer(model=name, trust_remote_code=True).spec.engine_args == {"trust_remote_code": True}


def test_adapter_and_date_are_the_model_under_tests(tmp_path):
    (tmp_path / "adapter_config.json").write_text("{}")
    values = {"adapter": str(tmp_path), "date": "2026-11-03"}
    spec = writer(**values).spec
    assert (spec.adapter, spec.day) == (str(tmp_path), date(2026, 11, 3))
    other = judge(judge_model="org/judge", **values).spec
    assert (other.adapter, other.day) == (None, None)
    assert share_model(writer(**values), judge(judge_model="org/model", **values))
    assert not share_model(writer(**values), judge(judge_model="org/model"))


def test_a_server_that_makes_the_prompt_of_a_carded_model_itself_is_pointed_out():
    notes = []
    url = ["http://127.0.0.1:1/v1"]
    writer(notes, model="THUDM/LongWriter-llama3.1-8b", base_url=url)
    assert any("makes the prompt itself" in told for told in notes)
    other = []
    writer(other, base_url=url)
    assert not any("prompt" in told for told in other)


@pytest.mark.parametrize(
    "values",
    [
        {"dtype": "half"},
        {"tensor_parallel_size": 2},
        {"trust_remote_code": True},
        {"engine_arg": {"block_size": 8}},
        {"prompt_format": "raw"},
        {"date": "2026-11-03"},
        {"max_model_len": "auto"},
    ],
)
def test_options_for_vllm_are_refused_where_nobody_is_asked_through_it(values):
    settings = config(base_url=["http://127.0.0.1:1/v1"], **values)
    (name,) = values
    with pytest.raises(UsageError, match=f"--{name.replace('_', '-')} .*--backend vllm"):
        check_options(settings, Roles(writer=writer_role(settings, print)))
    check_options(config(**values), Roles(writer=writer(**values)))


def test_a_judge_on_vllm_takes_the_engine_options_of_a_remote_writer():
    remote = writer(base_url=["http://127.0.0.1:1/v1"])
    role = judge(dtype="half", judge_engine_arg=["block_size=8"])
    settings = config(dtype="half", judge_engine_arg={"block_size": 8})
    check_options(settings, Roles(writer=remote, judges=(role,)))
    assert role.spec.engine_args == {"dtype": "half", "block_size": 8}
    with pytest.raises(UsageError, match="--revision"):
        check_options(config(revision="v1"), Roles(writer=remote, judges=(role,)))
    with pytest.raises(UsageError, match="--judge-backend vllm"):
        check_options(config(judge_engine_arg={"block_size": 8}), Roles(writer=writer()))


def test_what_belongs_to_the_model_under_test_is_not_the_judges():
    values = {"revision": "v1", "trust_remote_code": True, "prompt_format": "raw", "dtype": "half"}
    other = judge(judge_model="org/judge", **values)
    assert (other.spec.engine_args, other.spec.prompt_format) == ({"dtype": "half"}, None)
    same = judge(judge_model="org/model", **values)
    under_test = writer(**values)
    assert share_model(under_test, same)
    assert not one_at_a_time(under_test, same)
    assert one_at_a_time(under_test, other)
    assert not one_at_a_time(writer(base_url=["http://127.0.0.1:1/v1"]), other)
    shared = shared_spec(under_test, Roles(writer=under_test, judges=(same,)))
    assert shared_spec(under_test, Roles(writer=under_test, judges=(other,))) == under_test.spec
    assert shared.max_tokens == 32768
    assert shared.prompt_tokens == same.spec.prompt_tokens == 8192 + 500


def test_a_judge_on_vllm_needs_a_model_and_no_server():
    with pytest.raises(UsageError, match="--judge-model"):
        judge_role(config(judge="paper", judge_backend="vllm"), seed=42, max_tokens=1, note=print)
    with pytest.raises(UsageError, match="--judge-base-url"):
        judge(judge_base_url=["http://127.0.0.1:1/v1"])


def test_on_vllm_the_six_integers_are_forced_whatever_the_card_says():
    role = judge_role(
        config(judge="paper", judge_backend="vllm", judge_model="org/judge"),
        seed=42,
        max_tokens=500,
        note=print,
    )
    assert role.judge.card.reply_format == "json_schema"
    assert (role.spec.kind, role.spec.model, role.spec.api_key_env) == ("vllm", "org/judge", None)
    assert role.judge.label == "paper (org/judge)"


def role(backend, model="m", **values):
    return Role(backend, BackendSpec("", model, **values))


def test_two_local_roles_share_a_model_and_two_remote_ones_do_not():
    assert share_model(role(LocalBackend), role(LocalBackend, max_tokens=5))
    assert not share_model(role(LocalBackend), role(LocalBackend, "other"))
    assert not share_model(role(OpenAIBackend), role(OpenAIBackend))
    assert not share_model(role(LocalBackend), role(VLLMBackend))


@pytest.mark.parametrize(
    ("planner", "refused"),
    [
        (role(VLLMBackend, "org/other"), True),
        (role(LocalBackend), True),
        (role(VLLMBackend, "org/model"), False),
        (role(OpenAIBackend), False),
    ],
)
def test_planner_and_writer_have_one_engine_in_this_process(planner, refused):
    if refused:
        with pytest.raises(UsageError, match="base URL"):
            Roles(writer=writer(), planner=planner)
    else:
        assert list(Roles(writer=writer(), planner=planner))[1] is planner


def test_everyone_who_is_asked_is_prepared():
    under_test, judges = writer(), (judge(),)
    assert list(Roles(writer=under_test, judges=judges)) == [under_test, *judges]
    assert Roles(judges=judges).judge is judges[0]
    assert Roles().judge is None


def test_an_unknown_backend_is_refused_though_nobody_judges():
    with pytest.raises(UsageError, match="did you mean 'vllm'"):
        judge_role(config(judge_backend="vlm"), seed=42, max_tokens=1, note=print)
    with pytest.raises(UsageError, match="did you mean 'vllm'"):
        writer(backend="vlm")
