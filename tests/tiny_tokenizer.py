"""A tokenizer of a few special tokens and single characters, with a Hugging Face tokenizer's manners."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import jinja2


@dataclass
class TinyTokenizer:
    """Special tokens have the numbers given, characters follow; `begin` stands before a text if asked for."""

    special: dict[str, int]
    begin: tuple[str, ...] = ()
    chat_template: str | None = None
    unk_token: str | None = None
    applied: list[dict[str, object]] = field(default_factory=list)

    @property
    def unk_token_id(self) -> int | None:
        return self.special[self.unk_token] if self.unk_token else None

    def apply_chat_template(self, conversation, *, chat_template=None, **options):
        template = chat_template or self.chat_template
        if template is None:
            raise ValueError("tokenizer.chat_template is not set")
        assert options.pop("tokenize") is False
        tokens = {"bos_token": self.begin[0] if self.begin else ""}
        return jinja2.Template(template, undefined=jinja2.StrictUndefined).render(
            messages=conversation, **tokens, **options
        )

    def encode(self, text, *, add_special_tokens):
        parts = re.split("|".join(map(re.escape, self.special)), text)
        found = re.findall("|".join(map(re.escape, self.special)), text)
        ids = [self.special[token] for token in self.begin] if add_special_tokens else []
        for number, part in enumerate(parts):
            ids += [1_000_000 + ord(char) for char in part]
            ids += [self.special[found[number]]] if number < len(found) else []
        return ids

    def convert_tokens_to_ids(self, token):
        return self.special.get(token, self.unk_token_id)

    def decode(self, ids):
        names = {number: token for token, number in self.special.items()}
        return "".join(names.get(number) or chr(number - 1_000_000) for number in ids)


GLM4 = TinyTokenizer(
    {
        "<|endoftext|>": 151329,
        "[gMASK]": 151331,
        "<sop>": 151333,
        "<|system|>": 151335,
        "<|user|>": 151336,
        "<|assistant|>": 151337,
        "<|observation|>": 151338,
    },
    begin=("[gMASK]", "<sop>"),
    # The repository's template lacks the brackets of sop too.
    chat_template="[gMASK]sop<|user|>\n {{ messages[0].content }}<|assistant|>",
    unk_token="<|endoftext|>",
)
"""The special tokens of LongWriter-glm4-9b."""

LLAMA31 = TinyTokenizer(
    {"<|begin_of_text|>": 128000, "<|end_of_text|>": 128001, "<|eot_id|>": 128009},
    begin=("<|begin_of_text|>",),
)
"""The special tokens of LongWriter-llama3.1-8b, which has no chat template of its own."""
