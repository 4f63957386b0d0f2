"""Responses that were spoilt on their way are suspect, for the right reason; others are not."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import failed, predicted

from longbench_write.serving.spoilt_text import is_broken, is_error, is_glued, is_mixed, spoilt
from longbench_write.serving.suspect_log import SuspectLog
from longbench_write.serving.suspects import CAUSES, REASONS

RIVER = (
    "The river comes down from the hills in April, brown and loud, and by July a child can wade it. "
    "My grandmother kept a notebook of its levels; she trusted no gauge that she had not painted herself. "
)
FLUSS = (
    "Der Hochwasserrückhaltebeckenbetreiber veröffentlichte gestern die Niederschlagsmessergebnisse. "
    "Danach gingen wir an den Fluss hinunter und sahen den Booten zu, bis es dunkel wurde. "
)
WATER = "河水从山上流下来，春天又急又黄，到了夏天孩子们也能蹚过去。祖母有一个本子，记着每年的水位。"


def reasons(*records, steps=()):
    log = SuspectLog()
    for step in steps:
        log.add_step(step)
    assert list(log.watch(records)) == list(records)
    return {key[0]: found for key, found in log.suspects().items()}


def written(name, text, **changes):
    return predicted(name, response=text, response_length=len(text.split()), usage=None, **changes)


def test_every_reason_has_its_cause():
    assert list(CAUSES) == list(REASONS)


@pytest.mark.parametrize(
    "text",
    [
        "".join((RIVER * 3).split()),
        "onetwothreefourfivesixseveneightnineten",
        "\n\n".join("".join(RIVER.split()) for _ in range(3)),
    ],
)
def test_words_without_spaces(text):
    assert is_glued(text)


@pytest.mark.parametrize(
    "text",
    [
        RIVER,
        FLUSS * 3,
        WATER,
        "See https://example.org/averylongaddresswithoutanyspaces/atallreally for more. " + RIVER,
        "class AbstractRiverLevelNotebookFactory: def makeNotebookForGrandmother(self): return None\n" * 4,
        "Donaudampfschiff",
        "",
    ],
)
def test_long_words_are_no_lost_spaces(text):
    assert not is_glued(text)


def decoded(text, encoding):
    return text.encode("utf-8").decode(encoding, "replace" if encoding == "gbk" else "strict")


@pytest.mark.parametrize(
    "text",
    [
        WATER.replace("水", "\ufffd\ufffd"),
        decoded("“Don’t,” she said – and that’s “all” that I’m told. " * 3, "latin-1"),
        decoded("Größe, Mühe, schön, für, Äpfel", "cp1252"),
        decoded(WATER, "latin-1"),
        decoded(WATER * 3, "gbk").replace("\ufffd", ""),
        decoded("Река течёт с гор весной", "latin-1"),
    ],
)
def test_broken_characters(text):
    assert is_broken(text)


@pytest.mark.parametrize(
    "text",
    [
        RIVER,
        WATER,
        "« Où est-il allé… » demanda l’été à la forêt. " * 3,
        "“CAFÉ” stood there, and “MENÜ”, “ÜBER”. " * 5,
        WATER + "\ufffd",
        f"An article about encodings, where Ã© stands for é and â€™ for ’. {RIVER * 4} UTF-8 has Ã¼, too.",
        "😀 and 🏞️ and é",
    ],
)
def test_characters_that_are_whole(text):
    assert not is_broken(text)


STREWN_ZH = (
    "祖母 the 本子里记着水位，她 was 不相信别人，孩子们 and 河水都在等。春天 of 河很急，船 is 在岸边。"
)
STREWN_EN = "The 河 comes down from the 山 in April and 孩子 can wade it by the 夏天 when water 很 low."


@pytest.mark.parametrize("text", [STREWN_EN * 2, STREWN_ZH * 2])
def test_strewn_scripts(text):
    assert is_mixed(text, "Write about a river.")


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        (RIVER, "p"),
        (WATER + "我们用 Python 和 GPU 训练 transformer 模型，the Beatles 也很好。", "p"),
        (STREWN_EN * 2 + " These are Chinese words.", "p"),
        (STREWN_EN * 2, "Write a Mandarin lesson."),
        (STREWN_ZH * 2, "写一篇关于英语介词的文章"),
        (f"{RIVER} She came from 北京 (Beijing).", "p"),
    ],
)
def test_two_scripts_that_belong_there(text, prompt):
    assert not is_mixed(text, prompt)


@pytest.mark.parametrize(
    "text",
    [
        "Internal Server Error",
        "Error: upstream timed out",
        "An error occurred while processing your request. Please try again later.",
        "502 Bad Gateway",
        "[Error 503] overloaded",
        '{"error": {"message": "no"}}',
        "<html><head><title>502 Bad Gateway</title></head><body></body></html>",
        "服务器繁忙，请稍后再试。",
        "抱歉，系统错误",
        "Sorry, something went wrong. Please try again.",
        "The server is currently overloaded.",
        "upstream connect error or disconnect/reset before headers. reset reason: connection failure",
        "You exceeded your current quota, please check your plan and billing details.",
        "litellm.InternalServerError: no",
        "Request timed out.",
    ],
)
def test_an_errors_sentence(text):
    assert is_error(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Errors happen in every kitchen. When mine did, I laughed.",
        "The server is my brother, who waits tables.",
        "Sorry, I cannot help with that.",
        "系统地学习需要时间。",
        f"Error: that word stood on the screen. {RIVER * 3}",
        "<html><head><title>Rivers</title></head><body>" + RIVER + "</body></html>",
        '{"title": "Rivers", "error": null}',
        "[1, 2]",
    ],
)
def test_a_text_about_errors_is_none(text):
    assert not is_error(text)


@given(st.text(), st.text())
def test_any_text_is_looked_at(text, prompt):
    assert set(spoilt(text, prompt)) <= set(REASONS)


@given(st.text("ab \ufffdÃ©中the", max_size=300))
def test_any_text_of_few_characters_too(text):
    assert set(spoilt(text, "")) <= set(REASONS)


def test_one_long_text_under_several_prompts():
    long = RIVER * 3
    found = reasons(
        written("a", long, prompt="A?"),
        written("b", f"{long}\n", prompt="B?"),
        written("c", "Short. " * 9, prompt="C?"),
        written("d", "Short. " * 9, prompt="D?"),
        written("e", WATER, prompt="E?", response_length_unicode=9),
    )
    assert found == {"a": ("identical",), "b": ("identical",)}
    samples = [predicted("a", n, response=long, response_length=60, usage=None) for n in range(3)]
    assert reasons(*samples) == {}
    assert reasons(*(predicted(name, calls=0, requests=[], usage=None) for name in "ab")) == {}


def test_without_a_word():
    found = reasons(
        written("a", ""),
        written("b", " \n", reasoning="I think."),
        written("c", "", finish_reason="length"),
        failed("d"),
    )
    assert found == {"a": ("empty",), "b": ("reasoning_only",)}


# Tokens


def answers(lost=None, *, count=20, seed=1, tokenizer=1.3, **changes):
    """Answers of English words; of those in `lost`, that share of the text came, the tokens are of all."""
    rng = random.Random(seed)
    words = (RIVER + " while nobody counted years between two floods").split()
    for number in range(count):
        text = " ".join(rng.choice(words) for _ in range(rng.randint(100, 900)))
        tokens = round(tokenizer * len(text.split()) * rng.gauss(1, 0.03))
        share = (lost or {}).get(number, 1.0)
        came = (text * 2)[: int(share * len(text))]
        usage = {"prompt_tokens": 9, "completion_tokens": tokens, "reasoning_tokens": None}
        yield predicted(f"p-{number}", prompt=f"{number}?", response=came, usage=usage | changes)


@pytest.mark.parametrize("tokenizer", [0.8, 1.0, 1.3, 2.0])
def test_tokens_that_fit_are_no_suspects(tokenizer):
    for seed in range(20):
        assert reasons(*answers(seed=seed, tokenizer=tokenizer)) == {}


@pytest.mark.parametrize("share", [0.1, 0.5, 2 / 3, 4 / 3, 1.9])
def test_an_answer_that_lost_or_gained_text(share):
    assert reasons(*answers({3: share, 7: share})) == {"p-3": ("tokens",), "p-7": ("tokens",)}


def test_control_tokens_are_a_token_each():
    records = list(answers())
    text = " ".join(records[0].response.split()[:25])
    turn = "<|im_end|>\n<|im_start|>user\nMore?<|im_end|>"
    usage = {"completion_tokens": 32 + 6}
    ended = predicted("ended", prompt="?", response=text, raw=text + turn, usage=usage)
    assert reasons(*records, ended) == {}


def test_a_few_answers_say_nothing_of_each_other():
    assert reasons(*answers({1: 0.6}, count=5)) == {}


@pytest.mark.parametrize("usage", [{"completion_tokens": None}, {"completion_tokens": 0}])
def test_without_usage_nothing_is_said(usage):
    assert reasons(*answers({3: 0.5}, **usage)) == {}


def test_tokens_of_reasoning_are_left_out():
    thought = [
        predicted(
            f"p-{number}",
            prompt=record.prompt,
            response=record.response,
            reasoning="Hm.",
            usage={
                "completion_tokens": record.usage["completion_tokens"] + 100 * number,
                "reasoning_tokens": 100 * number,
            },
        )
        for number, record in enumerate(answers())
    ]
    assert reasons(*thought) == {}


def test_a_few_words_cannot_have_many_tokens():
    text = "onetwothreefourfivesixseveneightnineten"
    usage = {"completion_tokens": 10}
    assert reasons(predicted(response=text, usage=usage)) == {"p-1": ("tokens", "glued")}
    assert reasons(predicted(response="สวัสดีชาวโลกทั้งหลาย" * 9, usage={"completion_tokens": 200})) == {}
