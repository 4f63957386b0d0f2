"""Tiny random models in the layouts of the two LongWriter models, and their tokenizers.

Their vocabulary has the 256 bytes and a few words; the special tokens follow, in the order of the real ones.
"""

from __future__ import annotations

import base64
import json
from pathlib import Path
from textwrap import dedent

WORDS = (
    *(" the", " and", " river", " of", "Write", "write", "user", "assistant"),
    *("写", "河流", "长", "\n\n", "100"),
)
GLM4_SPECIAL = (
    *("<|endoftext|>", "[MASK]", "[gMASK]", "[sMASK]", "<sop>", "<eop>", "<|system|>", "<|user|>"),
    *("<|assistant|>", "<|observation|>", "<|begin_of_image|>", "<|end_of_image|>"),
    *("<|begin_of_video|>", "<|end_of_video|>"),
)
"""The special tokens of LongWriter-glm4-9b, in order."""
LLAMA31_SPECIAL = (
    *("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>"),
    "<|eot_id|>",
)
"""Some of the special tokens of LongWriter-llama3.1-8b."""
CHATML = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def ranks() -> dict[bytes, int]:
    """Byte sequences with their ranks, each of which two others of lower ranks make up."""
    found = {bytes([number]): number for number in range(256)}
    for word in WORDS:
        raw = word.encode()
        for end in range(2, len(raw) + 1):
            found.setdefault(raw[:end], len(found))
    return found


def tokenizer(special, *, begin=(), template=None, added=(), **options):
    """A fast tokenizer of transformers.

    Args:
        special: Its special tokens.
        begin: Those that it puts before a text.
        template: Its chat template.
        added: Further tokens, which it does not call special.
        options: Such as eos_token.
    """
    import tokenizers
    from transformers import PreTrainedTokenizerFast
    from transformers.convert_slow_tokenizer import bytes_to_unicode

    shown = bytes_to_unicode()
    named = {raw: "".join(shown[byte] for byte in raw) for raw in ranks()}
    merges = [(named[raw[:-1]], named[raw[-1:]]) for raw in ranks() if len(raw) > 1]
    made = tokenizers.Tokenizer(
        tokenizers.models.BPE(vocab={named[raw]: rank for raw, rank in ranks().items()}, merges=merges)
    )
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    made.add_special_tokens([tokenizers.AddedToken(text, special=True) for text in special])
    made.add_tokens([tokenizers.AddedToken(text, special=False) for text in added])
    if begin:
        made.post_processor = tokenizers.processors.TemplateProcessing(
            single=" ".join([*begin, "$A"]), special_tokens=[(text, made.token_to_id(text)) for text in begin]
        )
    return PreTrainedTokenizerFast(
        tokenizer_object=made,
        chat_template=template,
        additional_special_tokens=list(special),
        clean_up_tokenization_spaces=False,
        **options,
    )


def llama31_tokenizer():
    """The tokenizer of LongWriter-llama3.1-8b, tiny: it has no chat template of its own."""
    return tokenizer(LLAMA31_SPECIAL, begin=("<|begin_of_text|>",), eos_token="<|end_of_text|>")


_REMOTE_TOKENIZER = '''
import base64
from pathlib import Path

import tiktoken
from transformers import PreTrainedTokenizer
from transformers.convert_slow_tokenizer import TikTokenConverter


class ChatGLM4Tokenizer(PreTrainedTokenizer):
    """A tokenizer in Python, as a repository of 2024 brings it."""

    vocab_files_names = {{"vocab_file": "tokenizer.model"}}
    model_input_names = ["input_ids", "attention_mask", "position_ids"]

    def __init__(self, vocab_file, padding_side="left", **options):
        pairs = [line.split() for line in Path(vocab_file).read_text().splitlines()]
        self.ranks = {{base64.b64decode(text): int(rank) for text, rank in pairs}}
        self.texts = {{rank: text for text, rank in self.ranks.items()}}
        self.bytes = tiktoken.Encoding(
            "tiny", pat_str=TikTokenConverter().pattern, mergeable_ranks=self.ranks, special_tokens={{}}
        )
        super().__init__(padding_side=padding_side, **options)

    @property
    def vocab_size(self):
        return len(self.ranks)

    def get_vocab(self):
        return {{**{{str(text): rank for text, rank in self.ranks.items()}}, **self.added_tokens_encoder}}

    def _tokenize(self, text, **options):
        return [self.texts[number] for number in self.bytes.encode(text)]

    def _convert_token_to_id(self, token):
        return self.ranks[token]

    def _convert_id_to_token(self, index):
        return self.texts.get(index, b"")

    def convert_tokens_to_string(self, tokens):
        raw = b"".join(token if isinstance(token, bytes) else token.encode() for token in tokens)
        return raw.decode(errors="replace")

    def get_prefix_tokens(self):
        return [self.convert_tokens_to_ids("[gMASK]"), self.convert_tokens_to_ids("<sop>")]

    def build_inputs_with_special_tokens(self, token_ids_0, token_ids_1=None):
        return self.get_prefix_tokens() + token_ids_0

    def _pad(self, encoded_inputs, max_length=None, padding_strategy=None, pad_to_multiple_of=None,
             return_attention_mask=None{padding_side}):
        return encoded_inputs
'''


def write_glm4_tokenizer(folder: Path, *, repaired: bool = False) -> Path:
    """Write a tokenizer in the layout of LongWriter-glm4-9b: a list of ranks, and code that reads it.

    Args:
        folder: Where.
        repaired: Whether the code knows the argument `padding_side`, which transformers passes since 4.45.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{base64.b64encode(raw).decode()} {rank}" for raw, rank in ranks().items()]
    (folder / "tokenizer.model").write_text("\n".join(lines) + "\n")
    code = _REMOTE_TOKENIZER.format(padding_side=", padding_side=None" if repaired else "")
    (folder / "tokenization_chatglm.py").write_text(dedent(code))
    first = len(ranks())
    token = {"lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True}
    config = {
        "auto_map": {"AutoTokenizer": ["tokenization_chatglm.ChatGLM4Tokenizer", None]},
        "added_tokens_decoder": {
            str(first + n): {"content": text, **token} for n, text in enumerate(GLM4_SPECIAL)
        },
        "additional_special_tokens": list(GLM4_SPECIAL),
        "chat_template": "[gMASK]sop<|user|>\n {{ messages[0].content }}<|assistant|>",
        "clean_up_tokenization_spaces": False,
        "do_lower_case": False,
        "eos_token": "<|endoftext|>",
        "model_max_length": 1000000000000000019884624838656,
        "pad_token": "<|endoftext|>",
        "padding_side": "left",
        "remove_space": False,
        "tokenizer_class": "ChatGLM4Tokenizer",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    return folder


def write_glm4(folder: Path, *, repaired: bool = False) -> Path:
    """Write a random model in the layout of LongWriter-glm4-9b (needs torch)."""
    import torch
    from safetensors.torch import save_file

    write_glm4_tokenizer(folder, repaired=repaired)
    hidden, heads, groups, head, inner, layers = 64, 2, 1, 32, 96, 2
    first = len(ranks())
    size = first + len(GLM4_SPECIAL)
    config = {
        "architectures": ["ChatGLMForConditionalGeneration"],
        "auto_map": {
            "AutoConfig": "configuration_chatglm.ChatGLMConfig",
            "AutoModelForCausalLM": "modeling_chatglm.ChatGLMForConditionalGeneration",
        },
        "model_type": "chatglm",
        "add_bias_linear": False,
        "add_qkv_bias": True,
        "apply_residual_connection_post_layernorm": False,
        "ffn_hidden_size": inner,
        "fp32_residual_connection": False,
        "hidden_size": hidden,
        "kv_channels": head,
        "layernorm_epsilon": 1.5625e-07,
        "multi_query_attention": True,
        "multi_query_group_num": groups,
        "num_attention_heads": heads,
        "num_layers": layers,
        "original_rope": True,
        "padded_vocab_size": size,
        "post_layer_norm": True,
        "rmsnorm": True,
        "rope_ratio": 500,
        "seq_length": 32768,
        "tie_word_embeddings": False,
        "torch_dtype": "float32",
        "vocab_size": size,
        "eos_token_id": [first, first + 7, first + 9],
        "pad_token_id": first,
    }
    (folder / "config.json").write_text(json.dumps(config))
    generation = {"eos_token_id": config["eos_token_id"], "pad_token_id": first, "do_sample": True}
    (folder / "generation_config.json").write_text(
        json.dumps(generation | {"temperature": 0.8, "top_p": 0.8, "max_length": 128000})
    )
    generator = torch.Generator().manual_seed(7)

    def random(*shape):
        return torch.randn(*shape, generator=generator) * 0.2

    weights = {
        "transformer.embedding.word_embeddings.weight": random(size, hidden),
        "transformer.encoder.final_layernorm.weight": torch.ones(hidden),
        "transformer.output_layer.weight": random(size, hidden),
    }
    wide = (heads + 2 * groups) * head
    for n in range(layers):
        layer = f"transformer.encoder.layers.{n}"
        weights |= {
            f"{layer}.input_layernorm.weight": torch.ones(hidden),
            f"{layer}.post_attention_layernorm.weight": torch.ones(hidden),
            f"{layer}.self_attention.query_key_value.weight": random(wide, hidden),
            f"{layer}.self_attention.query_key_value.bias": random(wide),
            f"{layer}.self_attention.dense.weight": random(hidden, heads * head),
            f"{layer}.mlp.dense_h_to_4h.weight": random(2 * inner, hidden),
            f"{layer}.mlp.dense_4h_to_h.weight": random(hidden, inner),
        }
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def write_llama31(folder: Path, *, made=None, **changes) -> Path:
    """Write a random model in the layout of LongWriter-llama3.1-8b (needs torch).

    Args:
        folder: Where.
        made: Its tokenizer, if that is to be another.
        changes: Of its config.
    """
    import torch
    from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM

    made = made or llama31_tokenizer()
    made.save_pretrained(folder)
    torch.manual_seed(7)
    ends = [made.convert_tokens_to_ids(text) for text in ("<|end_of_text|>", "<|eot_id|>")]
    config = LlamaConfig(
        **{
            "vocab_size": len(made),
            "hidden_size": 64,
            "intermediate_size": 96,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 131072,
            "bos_token_id": made.convert_tokens_to_ids("<|begin_of_text|>"),
            "eos_token_id": ends,
            "rope_theta": 500000.0,
        }
        | changes
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(
        do_sample=True, temperature=0.6, top_p=0.9, eos_token_id=ends, bos_token_id=config.bos_token_id
    )
    model.save_pretrained(folder)
    return folder


def write_adapter(folder: Path, base: Path) -> Path:
    """Write a random LoRA adapter, as PEFT does, for a model that `write_llama31` wrote (needs torch)."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir()
    config = {
        "base_model_name_or_path": str(base),
        "bias": "none",
        "lora_alpha": 64,
        "lora_dropout": 0.0,
        "peft_type": "LORA",
        "r": 8,
        "target_modules": ["q_proj"],
        "task_type": "CAUSAL_LM",
    }
    (folder / "adapter_config.json").write_text(json.dumps(config))
    generator = torch.Generator().manual_seed(8)
    weights = {
        f"base_model.model.model.layers.{n}.self_attn.q_proj.lora_{part}.weight": torch.randn(
            *shape, generator=generator
        )
        for n in range(2)
        for part, shape in (("A", (8, 64)), ("B", (64, 8)))
    }
    save_file(weights, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    return folder
