"""The configuration of a run: one definition for the command line, YAML files and Python."""

from __future__ import annotations

import dataclasses
import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Interval, MinLen

from longbench_write.config.requests import flag, request_options
from longbench_write.errors import UsageError, unknown_name
from longbench_write.files.yaml_text import as_options, load_yaml, read_options
from longbench_write.urls import check_url

BUILT_IN_BACKENDS = ("openai", "vllm", "hf", "local")
"""The names of the built-in backends, for the help; `backends/registry.py` says what they stand for."""

NULL_WRITER = "null"
"""The writer that needs no model; a run of it is called so too, unless it is given a model's name."""


class Known:
    """Built-in names that the help shows for a field; a registry decides which others there are.

    Args:
        names: The names.
    """

    def __init__(self, *names: str) -> None:
        self.names = names


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What `lbw-eval --model M` does; the text beside each field is its help on the command line."""

    model: Annotated[
        str, MinLen(1), "Model under test: a hub id, a folder, an API's model name, or local/..."
    ]
    suite: Annotated[
        str,
        "longbench-write, longbench-write-en, longwrite-ruler, lbw-open (lbw-open@1.0 is its first version), "
        "or the path of a JSONL file.",
    ] = "longbench-write"
    writer: Annotated[
        str, "How a response is written: a name from `lbw-eval writers`, or a writer's folder."
    ] = "direct"
    planner: Annotated[
        Literal["model", "even", "suite"] | None,
        "Who plans, for a writer that does: a model, a rule (equal sections), or the suite (its card says).",
    ] = None
    planner_model: Annotated[str | None, MinLen(1), "Have this model plan, in place of that under test."] = (
        None
    )
    planner_base_url: Annotated[tuple[str, ...], "Ask the planner there; may be given several times."] = ()
    planner_api_key_env: Annotated[
        str | None, "Name of the variable that contains the planner's API key."
    ] = None
    backend: Annotated[str, Known("auto", *BUILT_IN_BACKENDS), "Where the model runs."] = "auto"
    base_url: Annotated[
        tuple[str, ...], "OpenAI-compatible base URL; give it several times to share the load."
    ] = ()
    api_key_env: Annotated[
        str | None, "Name of the variable that contains the API key; sent to no --base-url unless named."
    ] = None
    header: Annotated[
        dict[str, Any],
        "Another header of each request, with the name of the variable that contains its value.",
    ] = dataclasses.field(default_factory=dict)
    env_file: Annotated[
        Path | None, "File of variables for keys that the environment does not set [.env, if it is there]."
    ] = None
    tensor_parallel_size: Annotated[int | None, Ge(1), "vLLM: GPUs that share each layer."] = None
    data_parallel_size: Annotated[
        int | None, Ge(1), "vLLM: copies of the model, each on GPUs of its own."
    ] = None
    max_model_len: Annotated[
        Annotated[int, Ge(1)] | Literal["auto"] | None,
        "vLLM, hf: context in tokens (vLLM: what the run needs; hf: the model's); `auto` is all that fits.",
    ] = None
    gpu_memory_utilization: Annotated[
        float | None, Interval(gt=0, le=1), "vLLM: share of each GPU's memory that it may use."
    ] = None
    dtype: Annotated[str | None, "vLLM, hf: the weights' type, such as bfloat16."] = None
    device_map: Annotated[
        str | None,
        MinLen(1),
        "hf: where the weights go: auto (all devices), cuda:1, mps, cpu, ...",
    ] = None
    trust_remote_code: Annotated[
        bool | None,
        "vLLM, hf: run the code in the model's repository (off).",
    ] = None
    revision: Annotated[str | None, "vLLM, hf: branch, tag or commit of the model's repository."] = None
    engine_arg: Annotated[
        dict[str, Any],
        "vLLM, hf: any other engine argument, such as quantization=fp8; may be given several times.",
    ] = dataclasses.field(default_factory=dict)
    adapter: Annotated[str | None, "vLLM, hf: folder of a LoRA adapter that the model is asked with."] = None
    date: Annotated[
        datetime.date | None,
        "vLLM, hf, GGUF: day that a chat template is told, YYYY-MM-DD (the run's first day).",
    ] = None
    prompt_format: Annotated[
        str | None,
        "vLLM, hf: chat (the model's own template), raw, or a chat template's path (the card's, else chat).",
    ] = None
    judge: Annotated[str | None, "Judge: a name from `lbw-eval judges`, a judge's folder, or none."] = None
    judge_model: Annotated[str | None, "Ask this model instead of the judge's own."] = None
    judge_base_url: Annotated[tuple[str, ...], "Ask the judge there; may be given several times."] = ()
    judge_api_key_env: Annotated[str | None, "Name of the variable that contains the judge's API key."] = None
    judge_header: Annotated[
        dict[str, Any], "Header of each request to the judge, with the variable of its value, as --header."
    ] = dataclasses.field(default_factory=dict)
    judge_repeats: Annotated[int | None, Ge(1), "Judgements of each response, if not as the card says."] = (
        None
    )
    long_responses: Annotated[
        Literal["fail", "chapters"],
        "What becomes of a response that does not fit the judge's context: no score, or judged in parts.",
    ] = "fail"
    judge_backend: Annotated[
        str | None,
        Known(*BUILT_IN_BACKENDS),
        "Where the judge's model runs, if not as its card says.",
    ] = None
    judge_engine_arg: Annotated[
        dict[str, Any],
        "Engine argument of a judge on vLLM, over those of the model under test; may be given several times.",
    ] = dataclasses.field(default_factory=dict)
    price: Annotated[
        dict[str, Any],
        "Per million tokens: input=X and output=X of the model, judge_input=X and judge_output=X.",
    ] = dataclasses.field(default_factory=dict)
    max_cost: Annotated[float | None, Gt(0), "Stop before the run has cost more, at --price."] = None
    max_judge_tokens: Annotated[
        int | None, Ge(1), "Stop before the run's judgements have taken more tokens."
    ] = None
    samples: Annotated[int, Ge(1), "Responses per prompt."] = 1
    limit: Annotated[int | None, Ge(1), "Only N prompts, spread evenly over the length ranges."] = None
    ids: Annotated[tuple[str, ...], "Only these prompts: ids, separated by commas."] = ()
    length_range: Annotated[str | None, "Only prompts that require so many words, such as 2000-4000."] = None
    temperature: Annotated[
        Annotated[float, Interval(ge=0, le=5)] | Literal["default"],
        "Sampling temperature; `default` leaves it to the model.",
    ] = 0.5
    max_tokens: Annotated[int, Ge(1), "New tokens per response at most, reasoning included."] = 32768
    tag: Annotated[
        str | None, MinLen(1), "Any text; another tag is another run, such as for a new model of an old name."
    ] = None
    seed: Annotated[
        Annotated[int, Ge(0)] | Literal["none"],
        "Seed of the run; each prompt and sample derives its own from it; `none` sends none.",
    ] = 42
    gen: Annotated[
        dict[str, Any],
        "Any other sampling or request field by its own name: top_p=0.8, reasoning_effort=low, "
        "chat_template_kwargs.enable_thinking=false; may be given several times.",
    ] = dataclasses.field(default_factory=dict)
    system: Annotated[str | None, "System prompt before each request, as text or as @FILE."] = None
    extra_body: Annotated[
        dict[str, Any], "A server: JSON object whose fields stand in each request, over all others."
    ] = dataclasses.field(default_factory=dict)
    max_tokens_field: Annotated[
        str | None, "A server: the name under which --max-tokens is sent, such as max_completion_tokens."
    ] = None
    concurrency: Annotated[
        int | None, Ge(1), "Responses in the making at once (32; 4 for local, 8 for hf, 512 for vllm)."
    ] = None
    judge_concurrency: Annotated[
        int | None, Ge(1), "Judgements in the making at once (32; 4 for local, 8 for hf, 512 for vllm)."
    ] = None
    finish_reason: Annotated[
        dict[str, Any],
        "WORD=stop or WORD=length: what a finish reason means that only this server uses.",
    ] = dataclasses.field(default_factory=dict)
    idle_timeout: Annotated[float, Gt(0), "Seconds without text after which a request has failed."] = 600.0
    prompt_timeout: Annotated[
        float | None, Gt(0), "Seconds that a request may take, retries and waits included, a judge's too."
    ] = None
    max_time: Annotated[float | None, Gt(0), "Stop after so many seconds; the same command resumes."] = None
    max_failures: Annotated[
        int | None, Ge(1), "Stop once so many responses or judgements have failed in this session."
    ] = None
    stream: Annotated[bool, "Stream the answers, so that long ones outlive proxies' time limits."] = True
    out: Annotated[Path, "Folder for runs."] = Path("results")
    wait: Annotated[
        float, Ge(0), "Seconds to wait for the run's folder while another process works in it."
    ] = 75.0
    fresh: Annotated[bool, "Start another run instead of resuming the one that is there."] = False
    retry_failed: Annotated[bool, "Retry also what failed permanently."] = False
    strict: Annotated[
        bool, "Exit with 1 if any prompt ends without a score, or a server cut answers off."
    ] = False
    progress: Annotated[Literal["auto", "rich", "plain", "none"], "How to show progress on stderr."] = "auto"

    def recorded(self) -> dict[str, Any]:
        """Return the fields that say what was asked for, as plain values for run.yaml."""
        left_out = ("env_file", "out", "wait", "fresh", "retry_failed", "strict", "progress")
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in left_out}
        return {name: _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime.date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


def build_config(values: Mapping[str, Any]) -> RunConfig:
    """Check raw values, as YAML or a command line gives them, and make a configuration.

    Raises:
        UsageError: A key is unknown (the nearest is named), missing, or its value is refused.
    """
    from pydantic import TypeAdapter, ValidationError

    kinds = {name: get_args(hint)[0] for name, hint in get_type_hints(RunConfig, include_extras=True).items()}
    known = list(kinds)
    switches = [name for name, kind in kinds.items() if is_switch(kind)]
    for key in values:
        if key not in known:
            raise unknown_name("configuration key", key, known)
        if isinstance(values[key], bool) and key not in switches:
            raise UsageError(f"{flag(key)} {values[key]}: a value is needed, not yes or no")
    ready = dict(values)
    if ready.get("writer") == NULL_WRITER:
        ready.setdefault("model", NULL_WRITER)
    for name in ("ids", "base_url", "judge_base_url", "planner_base_url"):
        if isinstance(value := ready.get(name), str):
            ready[name] = [part.strip() for part in value.split(",") if part.strip()]
    for name in ("engine_arg", "judge_engine_arg", "price", "finish_reason"):
        if isinstance(value := ready.get(name), (list, tuple)):
            ready[name] = dict(_engine_argument(flag(name), str(text)) for text in value)
        elif isinstance(value, dict):
            ready[name] = as_options(value, flag(name))
    ready |= request_options(ready)
    for name, value in ready.items():
        if value in ("", []):
            raise UsageError(f"{flag(name)} is empty: give it a value or leave it out")
    try:
        config = TypeAdapter(RunConfig).validate_python(ready)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "model"
        if first["type"] in ("missing", "missing_keyword_only_argument"):
            raise UsageError(f"{flag(name)} is needed: which model is to be evaluated?") from None
        if first["type"] == "literal_error":
            raise unknown_name(flag(name), str(first["input"]), _choices(name)) from None
        message = first["msg"][:1].lower() + first["msg"][1:]
        raise UsageError(f"{flag(name)} {first['input']!r}: {message}") from None
    for name in ("api_key_env", "judge_api_key_env", "planner_api_key_env"):
        if not (getattr(config, name) or "_").isidentifier():
            raise UsageError(f"{flag(name)} takes the name of a variable, not the key itself")
    for word, meaning in config.finish_reason.items():
        if meaning not in ("stop", "length"):
            raise UsageError(f"--finish-reason {word}={meaning}: it means stop, or length")
    for url in (*config.base_url, *config.judge_base_url, *config.planner_base_url):
        check_url(url)
    return config


def _choices(name: str) -> list[str]:
    return list(choices(get_args(get_type_hints(RunConfig, include_extras=True)[name])[0]))


def choices(kind: Any) -> tuple[str, ...]:
    """Return the words that a field takes; none where it takes more than words of a list."""
    parts = [part for part in get_args(kind) if part is not type(None)]
    if get_origin(kind) is Literal:
        return get_args(kind)
    return get_args(parts[0]) if len(parts) == 1 and get_origin(parts[0]) is Literal else ()


def is_switch(kind: Any) -> bool:
    """Return whether a field is yes or no."""
    return bool in (get_args(kind) or (kind,))


def _engine_argument(option: str, text: str) -> tuple[str, Any]:
    """Read KEY=VALUE; the value is a YAML scalar or JSON."""
    import yaml

    key, equals, value = text.partition("=")
    if not key or not equals:
        raise UsageError(f"{option} {text!r}: KEY=VALUE is needed, such as {option} max_num_seqs=64")
    try:
        return key.strip().replace("-", "_"), load_yaml(value)
    except yaml.YAMLError:
        raise UsageError(f"{option} {text!r}: the value is neither a YAML scalar nor JSON") from None


def read_config(path: Path) -> dict[str, Any]:
    """Read a YAML file of configuration keys (safe loading only).

    Keys may be written as on the command line, `max-tokens` for `max_tokens`.

    Raises:
        UsageError: The file cannot be read, is no mapping, or has a key twice.
    """
    return read_options(path, "--config")
