"""Loading a model with transformers: what can be checked is checked before its weights are read."""

from __future__ import annotations

import importlib
import inspect
import json
import os
from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

from longbench_write.backends.base import BackendSpec
from longbench_write.backends.chat_model import ChatModel, chat_model, cut_note
from longbench_write.backends.engine_record import installed_versions, rope_of, warnings_of
from longbench_write.backends.glm4_tokenizer import fast_tokenizer
from longbench_write.backends.hf.chatglm import MODEL_TYPE, glm_config, glm_weights
from longbench_write.backends.hf.options import PASSED_ON, dtype_name
from longbench_write.backends.hf.sampling import own_defaults
from longbench_write.backends.hf_folder import find_folder
from longbench_write.backends.hub import hub_commit, model_json
from longbench_write.backends.sampling import not_applied
from longbench_write.errors import LbwError, UsageError, shorten

_SHOWN = 3
"""Names of tensors that a message gives."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that can be asked.

    Attributes:
        model: A model of transformers, or of PEFT around one.
        chat: How the model is asked.
        ends: Token ids that end an answer.
        pad: The token id that fills a batch's shorter rows.
        batches: Whether it takes several prompts at once.
        context: Tokens of prompt and response together; None where nothing bounds them.
        record: What run.yaml says of it.
        notes: What the user should know, a sentence each.
    """

    model: Any
    chat: ChatModel
    ends: frozenset[int]
    pad: int
    batches: bool
    context: int | None
    record: dict[str, Any]
    notes: list[str]


@dataclass(slots=True)
class _Source:
    """Where a model's files are read from.

    Attributes:
        model: A folder or a hub id.
        tokenizer: The same for its tokenizer.
        revision: The commit on the hub.
        cache: The folder of the hub's cache; None for the usual one.
        trust: Whether code of the model's repository may run.
    """

    model: str
    tokenizer: str
    revision: str | None
    cache: str | None
    trust: bool

    @property
    def where(self) -> dict[str, str | None]:
        return {"revision": self.revision, "cache": self.cache}

    def arguments(self, *, revision: bool = True) -> dict[str, Any]:
        """Return the arguments that every `from_pretrained` takes."""
        values = {"cache_dir": self.cache, "trust_remote_code": self.trust}
        return values | ({"revision": self.revision} if revision and self.revision else {})


def load(spec: BackendSpec) -> Loaded:
    """Load the model; blocks until it can be asked.

    Raises:
        UsageError: transformers cannot load it as it was asked to, or its tokenizer or chat template cannot
            be used.
    """
    transformers = importlib.import_module("transformers")
    transformers.utils.logging.disable_progress_bar()
    with warnings_of("transformers") as warnings:
        try:
            return _load(spec, warnings)
        except LbwError:
            raise
        except Exception as error:  # code from the model's repository, torch or a driver may raise anything
            reason = f"{type(error).__name__}: {shorten(str(error))}"
            raise UsageError(f"transformers cannot load {spec.model}: {reason}") from error


def _load(spec: BackendSpec, warnings: list[str]) -> Loaded:
    source = _source(spec)
    config = _config(source)
    generation = _generation(source, config)
    chat = chat_model(
        spec,
        lambda: _tokenizer(source),
        generation,
        model_type=model_json(source.model, "config.json", **source.where).get("model_type"),
    )
    own = own_defaults(generation)
    chat = replace(chat, defaults={**own, **chat.defaults})
    context = _context(spec, config)
    notes = [*chat.notes, *(cut_note(spec, context) if context else [])]
    if left := [text for text in not_applied(generation) if text.partition("=")[0] not in own]:
        notes.append(f"what the generation config of {spec.model} says is not applied: {', '.join(left)}")
    model = _weights(spec, source, config)
    batches = "attention_mask" in inspect.signature(model.forward).parameters
    if spec.adapter is not None:
        model = _with_adapter(model, spec.adapter)
    model.generation_config = importlib.import_module("transformers").GenerationConfig()  # all is set here
    notes += _device_notes(spec, model)
    engine = _about(spec, source, model, context, warnings)
    ends = frozenset({*chat.ends, *chat.stop})
    pad = next((n for n in (generation.get("pad_token_id"), *chat.ends) if isinstance(n, int)), 0)
    record = chat.about() | {"engine": engine}
    return Loaded(model, chat, ends, pad, batches, context, record, notes)


def _source(spec: BackendSpec) -> _Source:
    args = spec.engine_args
    model, cache, revision = find_folder(spec.model), args.get("download_dir"), args.get("revision")
    revision = hub_commit(model, revision=revision, cache=cache) or revision
    tokenizer = args.get("tokenizer")
    if tokenizer is None:
        tokenizer = str(fast_tokenizer(model, revision=revision, cache=cache) or model)
    trust = bool(args.get("trust_remote_code"))
    return _Source(model, os.path.expanduser(tokenizer), revision, cache, trust)


def _config(source: _Source) -> Any:
    values = model_json(source.model, "config.json", **source.where)
    if values.get("model_type") == MODEL_TYPE:
        return glm_config(source.model, values)
    transformers = importlib.import_module("transformers")
    return transformers.AutoConfig.from_pretrained(source.model, **source.arguments())


def _tokenizer(source: _Source) -> Any:
    transformers = importlib.import_module("transformers")
    arguments = source.arguments(revision=source.tokenizer == source.model)
    return transformers.AutoTokenizer.from_pretrained(source.tokenizer, **arguments)


def _generation(source: _Source, config: Any) -> dict[str, Any]:
    """Return the model's generation config; where it has none, what its config says of an answer's end."""
    values = model_json(source.model, "generation_config.json", **source.where)
    return {"eos_token_id": getattr(config.get_text_config(), "eos_token_id", None)} | values


def _context(spec: BackendSpec, config: Any) -> int | None:
    """Return the context: the model's own, or the shorter one that was asked for.

    Raises:
        UsageError: A longer one was asked for.
    """
    text = config.get_text_config()
    own = getattr(text, "max_position_embeddings", None)
    rope = rope_of(text) or {}
    if own and rope.get("factor") and rope.get("original_max_position_embeddings"):
        own = max(own, int(rope["factor"] * rope["original_max_position_embeddings"]))
    asked = spec.engine_args.get("max_model_len")
    if asked in (None, "auto"):
        return own
    if own is not None and asked > own:
        raise UsageError(f"--max-model-len {asked}: the context of {spec.model} is {own} tokens")
    return int(asked)


def _weights(spec: BackendSpec, source: _Source, config: Any) -> Any:
    """Read the weights.

    Raises:
        UsageError: Some are missing, which transformers would make up at random.
    """
    torch, transformers = importlib.import_module("torch"), importlib.import_module("transformers")
    name = dtype_name(spec.engine_args)
    given = {key: spec.engine_args[key] for key in PASSED_ON if key in spec.engine_args}
    arguments = {
        "config": config,
        "dtype": name if name == "auto" else getattr(torch, name),
        "device_map": spec.engine_args.get("device_map") or _device(torch),
        "output_loading_info": True,
        **given,
    }
    if config.model_type == "glm" and _is_chatglm(source):
        weights = glm_weights(source.model, config, **source.where)
        made = transformers.GlmForCausalLM.from_pretrained(None, state_dict=weights, **arguments)
    else:
        made = transformers.AutoModelForCausalLM.from_pretrained(
            source.model, **source.arguments(), **arguments
        )
    model, info = made
    _refuse_missing(spec.model, info["missing_keys"])
    return model


def _is_chatglm(source: _Source) -> bool:
    return model_json(source.model, "config.json", **source.where).get("model_type") == MODEL_TYPE


def _refuse_missing(model: str, missing: Collection[Any]) -> None:
    if missing:
        shown = ", ".join(sorted(map(str, missing))[:_SHOWN])
        raise UsageError(f"{model} lacks {len(missing)} of its weights ({shown}, ...): it is not whole")


def _device(torch: Any) -> str:
    """Return this machine's accelerator: cuda (ROCm too), mps, ...; cpu where there is none."""
    return str(torch.accelerator.current_accelerator()) if torch.accelerator.is_available() else "cpu"


def _with_adapter(model: Any, adapter: str) -> Any:
    """Return the model with a LoRA adapter.

    Raises:
        UsageError: It does not fit the model.
    """
    peft = importlib.import_module("peft")
    folder = os.path.abspath(os.path.expanduser(adapter))
    try:
        made = peft.PeftModel.from_pretrained(model, folder)
        kept = peft.load_peft_weights(folder, device="cpu")
    except Exception as error:  # whatever PEFT, torch or the files' readers raise
        raise UsageError(f"PEFT cannot load the adapter {adapter}: {shorten(str(error))}") from error
    names = set(peft.get_peft_model_state_dict(made))
    if other := sorted(names.symmetric_difference(kept)):
        shown = ", ".join(other[:_SHOWN])
        raise UsageError(f"the adapter {adapter} does not fit {model.config.name_or_path}: {shown}, ...")
    return made.eval()


def _device_notes(spec: BackendSpec, model: Any) -> list[str]:
    torch = importlib.import_module("torch")
    seen = torch.accelerator.device_count() if torch.accelerator.is_available() else 0
    if seen > 1 and "device_map" not in spec.engine_args:
        return [f"1 of {seen} devices is used: --device-map auto shares the model out over all of them"]
    return []


def _about(
    spec: BackendSpec, source: _Source, model: Any, context: int | None, warnings: list[str]
) -> dict[str, Any]:
    """Return what run.yaml says of the engine; what is null is not known or not set."""
    placed = getattr(model, "hf_device_map", None) or {}
    quantization = getattr(model.config, "quantization_config", None)
    method = getattr(quantization, "quant_method", None) or (
        quantization.get("quant_method") if isinstance(quantization, dict) else None
    )
    about = {
        "name": "transformers",
        "version": importlib.import_module("transformers").__version__,
        "versions": installed_versions(("torch", "tokenizers", "accelerate", "peft")),
        "context": context,
        "dtype": str(model.dtype).removeprefix("torch."),
        "quantization": str(getattr(method, "value", method)) if method else None,
        "rope": json.loads(json.dumps(rope_of(model.config.get_text_config()), default=str)),
        "device": ", ".join(sorted({str(device) for device in placed.values()})) or str(model.device),
        "concurrency": spec.concurrency,
        "commit": source.revision,
        "tokenizer": source.tokenizer,
        "warnings": warnings,
    }
    return {name: value for name, value in about.items() if value not in (None, [], {})}
