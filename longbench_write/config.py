"""The configuration of a run: one definition for the command line, YAML files and Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_type_hints

from annotated_types import Ge, Gt, Interval, MinLen

from longbench_write.errors import UsageError, unknown_name
from longbench_write.urls import check_url


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """What `lbw-eval --model M` does; the text beside each field is its help on the command line."""

    model: Annotated[
        str, MinLen(1), "Model under test: a hub id, a folder, an API's model name, or local/..."
    ]
    suite: Annotated[
        str, "longbench-write, longbench-write-en, longwrite-ruler, or the path of a JSONL file."
    ] = "longbench-write"
    backend: Annotated[Literal["auto", "vllm", "openai", "local"], "Where the model runs."] = "auto"
    base_url: Annotated[
        tuple[str, ...], "OpenAI-compatible base URL; give it several times to share the load."
    ] = ()
    api_key_env: Annotated[
        str | None, "Name of the variable that holds the API key; sent to no --base-url unless named."
    ] = None
    judge: Annotated[str | None, "Judge: a name from `lbw-eval judges`, a judge's folder, or none."] = None
    judge_model: Annotated[str | None, "Ask this model instead of the judge's own."] = None
    judge_base_url: Annotated[tuple[str, ...], "Ask the judge there; may be given several times."] = ()
    judge_api_key_env: Annotated[str | None, "Name of the variable that holds the judge's API key."] = None
    samples: Annotated[int, Ge(1), "Responses per prompt."] = 1
    limit: Annotated[int | None, Ge(1), "Only N prompts, spread evenly over the length ranges."] = None
    ids: Annotated[tuple[str, ...], "Only these prompts: ids, separated by commas."] = ()
    length_range: Annotated[str | None, "Only prompts that require so many words, such as 2000-4000."] = None
    temperature: Annotated[
        Annotated[float, Interval(ge=0, le=5)] | Literal["default"],
        "Sampling temperature; `default` leaves it to the model.",
    ] = 0.5
    max_tokens: Annotated[int, Ge(1), "New tokens per response at most, reasoning included."] = 32768
    seed: Annotated[int, Ge(0), "Seed of the run; each prompt and sample derives its own from it."] = 42
    concurrency: Annotated[int | None, Ge(1), "Responses in the making at once (32; 4 for local)."] = None
    judge_concurrency: Annotated[int | None, Ge(1), "Judgements in the making at once (32; 4 for local)."] = (
        None
    )
    idle_timeout: Annotated[float, Gt(0), "Seconds without a byte after which a request has failed."] = 600.0
    stream: Annotated[bool, "Stream the answers, so that long ones outlive proxies' time limits."] = True
    out: Annotated[Path, "Folder for runs."] = Path("results")
    fresh: Annotated[bool, "Start another run instead of going on with the one that is there."] = False
    retry_failed: Annotated[bool, "Ask again also for what failed for good."] = False
    strict: Annotated[bool, "Exit with 1 if any prompt ends without a score."] = False
    progress: Annotated[Literal["auto", "rich", "plain", "none"], "How to show progress on stderr."] = "auto"

    def recorded(self) -> dict[str, Any]:
        """The fields that say what was asked for, as plain values for run.yaml."""
        left_out = ("out", "fresh", "retry_failed", "strict", "progress")
        values = {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if f.name not in left_out}
        return {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}


def flag(field: str) -> str:
    """The command line's name of a field."""
    return "--" + field.replace("_", "-")


def build_config(values: Mapping[str, Any]) -> RunConfig:
    """Check raw values, as YAML or a command line gives them, and make a configuration.

    Raises:
        UsageError: A key is unknown (the nearest is named), missing, or its value is refused.
    """
    from pydantic import TypeAdapter, ValidationError

    known = [field.name for field in dataclasses.fields(RunConfig)]
    switches = [field.name for field in dataclasses.fields(RunConfig) if isinstance(field.default, bool)]
    for key in values:
        if key not in known:
            raise unknown_name("configuration key", key, known)
        if isinstance(values[key], bool) and key not in switches:
            raise UsageError(f"{flag(key)} {values[key]}: a value is needed, not yes or no")
    ready = dict(values)
    for name in ("ids", "base_url", "judge_base_url"):
        if isinstance(value := ready.get(name), str):
            ready[name] = [part.strip() for part in value.split(",") if part.strip()]
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
    for url in (*config.base_url, *config.judge_base_url):
        check_url(url)
    return config


def _choices(name: str) -> list[str]:
    kind = get_args(get_type_hints(RunConfig, include_extras=True)[name])[0]
    return [str(choice) for choice in get_args(kind)]


def read_config(path: Path) -> dict[str, Any]:
    """Read a YAML file of configuration keys (safe loading only).

    Keys may be written as on the command line, `max-tokens` for `max_tokens`.

    Raises:
        UsageError: The file cannot be read, or is no mapping.
    """
    import yaml

    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UsageError(f"--config {path} cannot be read: {' '.join(str(error).split())}") from None
    if not isinstance(loaded, dict):
        raise UsageError(f"--config {path} must hold keys and values, such as `model: NAME`")
    return {str(key).replace("-", "_"): value for key, value in loaded.items()}
