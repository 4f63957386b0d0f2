"""GLM-4's weights of 2024 for the GLM that transformers has itself.

Their repositories bring a model in Python that was written for transformers 4 and fails with 5. The
architecture is that of transformers' `GlmForCausalLM`, under other names: query, key and value stand in one
matrix, one below the other, and gate and up projection do in both.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longbench_write.backends.hub import model_file, model_json
from longbench_write.errors import UsageError, shorten

MODEL_TYPE = "chatglm"
"""The architecture's name in config.json."""

_ROPE_BASE = 10000.0
_NAMES = (
    ("transformer.embedding.word_embeddings.", "model.embed_tokens."),
    ("transformer.encoder.final_layernorm.", "model.norm."),
    ("transformer.encoder.layers.", "model.layers."),
    ("transformer.output_layer.", "lm_head."),
    (".self_attention.dense.", ".self_attn.o_proj."),
    (".mlp.dense_h_to_4h.", ".mlp.gate_up_proj."),
    (".mlp.dense_4h_to_h.", ".mlp.down_proj."),
)
_FUSED = ".self_attention.query_key_value."
_NOT_NEEDED = ".rotary_pos_emb."
"""Of tensors that follow from the configuration."""

_EXPECTED: Mapping[str, Any] = {
    "rmsnorm": True,
    "post_layer_norm": True,
    "add_bias_linear": False,
    "apply_residual_connection_post_layernorm": False,
    "original_rope": True,
    "pre_seq_len": None,
    "quantization_bit": 0,
}
"""What transformers' GLM does without saying; all of GLM-4 has it so."""


def glm_config(model: str, values: Mapping[str, Any]) -> Any:
    """Return transformers' configuration for a model of this architecture.

    Args:
        model: Its name, for messages.
        values: Its config.json.

    Raises:
        UsageError: It differs from GLM-4 in what transformers' class does not have.
    """
    other = [
        f"{name}={values[name]}" for name, value in _EXPECTED.items() if values.get(name, value) != value
    ]
    if other:
        raise UsageError(
            f"{model} is a ChatGLM that transformers' own GLM cannot run ({', '.join(other)}), and the code"
            " in its repository was written for transformers 4: run it on vLLM, or serve it elsewhere"
        )
    heads = values["num_attention_heads"]
    grouped = values.get("multi_query_attention", False)
    return importlib.import_module("transformers").GlmConfig(
        vocab_size=values["padded_vocab_size"],
        hidden_size=values["hidden_size"],
        intermediate_size=values["ffn_hidden_size"],
        num_hidden_layers=values["num_layers"],
        num_attention_heads=heads,
        num_key_value_heads=values["multi_query_group_num"] if grouped else heads,
        head_dim=values["kv_channels"],
        max_position_embeddings=values["seq_length"],
        rms_norm_eps=values["layernorm_epsilon"],
        attention_bias=values.get("add_qkv_bias", False),
        rope_parameters={
            "rope_type": "default",
            "rope_theta": _ROPE_BASE * values.get("rope_ratio", 1),
            "partial_rotary_factor": 0.5,
        },
        eos_token_id=values.get("eos_token_id"),
        pad_token_id=values.get("pad_token_id"),
        tie_word_embeddings=values.get("tie_word_embeddings", False),
        dtype=values.get("torch_dtype") or values.get("dtype"),
    )


def glm_weights(model: str, config: Any, **where: str | None) -> dict[str, Any]:
    """Return the weights of a model of this architecture under transformers' names.

    Args:
        model: A folder or a hub id.
        config: What `glm_config` made of its configuration.
        where: `revision` and `cache`, as for `model_file`.

    Raises:
        UsageError: It has no readable safetensors file.
    """
    safetensors = importlib.import_module("safetensors")
    sizes = [
        config.num_attention_heads * config.head_dim,
        *[config.num_key_value_heads * config.head_dim] * 2,
    ]
    weights: dict[str, Any] = {}
    for path in _files(model, **where):
        try:
            with safetensors.safe_open(path, "pt") as tensors:
                for name in tensors.keys():  # noqa: SIM118 (it is no mapping)
                    weights |= _renamed(name, tensors.get_tensor(name), sizes)
        except (OSError, safetensors.SafetensorError) as error:
            raise UsageError(f"{path} cannot be read: {shorten(str(error))}") from None
    return weights


def _files(model: str, **where: str | None) -> list[Path]:
    index = model_json(model, "model.safetensors.index.json", **where).get("weight_map")
    names = sorted(set(index.values())) if isinstance(index, dict) else ["model.safetensors"]
    found = [model_file(model, str(name), **where) for name in names]
    if missing := [name for name, path in zip(names, found, strict=True) if path is None]:
        raise UsageError(f"{model} lacks {', '.join(missing)}: --backend hf reads a ChatGLM from safetensors")
    return [path for path in found if path]


def _renamed(name: str, tensor: Any, sizes: list[int]) -> dict[str, Any]:
    """Return a tensor under its name in transformers, or its three parts of these numbers of rows."""
    if _NOT_NEEDED in name:
        return {}
    for theirs, ours in _NAMES:
        name = name.replace(theirs, ours)
    if _FUSED not in name:
        return {name: tensor}
    parts = zip(("q_proj", "k_proj", "v_proj"), tensor.split(sizes), strict=True)
    return {name.replace(_FUSED, f".self_attn.{part}."): piece for part, piece in parts}
