"""A fast tokenizer for models with the tokenizer of GLM-4, made from the repository's own tokenizer.model.

Their tokenizer is code in the repository, which was written for transformers 4 and fails with 5. The
vocabulary is a list of byte sequences with their ranks, as tiktoken reads it, which transformers can convert.
"""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path
from typing import Any

from longbench_write.assets import derived
from longbench_write.backends.hub import model_file, model_json
from longbench_write.errors import UsageError

_CLASS = "ChatGLM4Tokenizer"
_BEGIN = ("[gMASK]", "<sop>")
"""What stands before every text, as the repository's code puts it."""


def fast_tokenizer(model: str, **where: str | None) -> Path | None:
    """Return a folder with a fast tokenizer for a model of this layout, made once and kept.

    Args:
        model: A folder or a hub id.
        where: `revision` and `cache`, as for `model_file`.

    Returns:
        None for a model of another layout, or one that has a fast tokenizer of its own.

    Raises:
        UsageError: The files do not fit together.
        AssetError: The folder cannot be written.
    """
    config = model_json(model, "tokenizer_config.json", **where)
    if config.get("tokenizer_class") != _CLASS or model_file(model, "tokenizer.json", **where):
        return None
    vocabulary = model_file(model, "tokenizer.model", **where)
    if vocabulary is None:
        return None
    added = config.get("added_tokens_decoder")
    special = {
        int(number): str(token["content"])
        for number, token in (added.items() if isinstance(added, dict) else ())
        if isinstance(token, dict) and "content" in token and str(number).isdecimal()
    }
    digest = hashlib.sha256(vocabulary.read_bytes())
    digest.update(repr((sorted(special.items()), config.get("chat_template"))).encode())

    def make(folder: Path) -> str:
        _tokenizer(vocabulary, special, config).save_pretrained(folder)
        return f"transformers {importlib.import_module('transformers').__version__}, from tiktoken's format"

    sha256 = digest.hexdigest()
    origin = {"derived_from": "tokenizer.model", "sha256": sha256}
    return derived.derived_folder(f"glm4-tokenizer-{sha256[:16]}", origin, make)


def _tokenizer(vocabulary: Path, special: dict[int, str], config: dict[str, Any]) -> Any:
    """Convert the vocabulary and add the special tokens, each with the number that the model knows it by."""
    transformers = importlib.import_module("transformers")
    convert = importlib.import_module("transformers.convert_slow_tokenizer")
    processors = importlib.import_module("tokenizers").processors
    names = [special[number] for number in sorted(special)]
    try:
        fast = convert.TikTokenConverter(str(vocabulary), extra_special_tokens=names).converted()
    except (ValueError, OSError) as error:
        raise UsageError(f"{vocabulary} is no vocabulary in tiktoken's format ({error})") from None
    for number, name in special.items():
        if fast.token_to_id(name) != number:
            raise UsageError(
                f"{vocabulary} and tokenizer_config.json beside it do not fit together: {name} is token "
                f"{number} in the one and {fast.token_to_id(name)} in the other"
            )
    begin = [name for name in _BEGIN if name in names]
    fast.post_processor = processors.TemplateProcessing(
        single=" ".join([*begin, "$A"]),
        special_tokens=[(name, fast.token_to_id(name)) for name in begin],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=fast,
        eos_token=config.get("eos_token"),
        pad_token=config.get("pad_token"),
        additional_special_tokens=names,
        chat_template=config.get("chat_template"),
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
