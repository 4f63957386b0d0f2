"""The flags of a response, on texts made here."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.scoring.diagnostics import (
    _UNIT,
    REPEATED_SHARE,
    _units,
    is_empty,
    is_refusal,
    is_wrong_language,
    repetition,
)

WORDS = """
adjectives: quiet broken amber distant careless patient narrow silver stubborn weary golden hollow
nouns: harbour lantern orchard letter river sister engine winter kitchen mountain violin stranger garden ferry
nouns: market teacher shadow bridge window dog baker storm island clock
verbs: carried forgot followed mended painted remembered sold watched buried answered crossed feared
adverbs: slowly gladly twice alone somehow again at-noon in-silence before-dawn without-a-word
links: while because although until after before whenever and but so
how: 年迈的 沉默的 好奇的 疲倦的 倔强的 快乐的 孤独的 细心的 固执的 陌生的 勇敢的 瘦小的
who: 老人 女孩 船长 先生 邻居 医生 画家 孩子 母亲 旅人 店主 学生 守夜人 裁缝
where: 在河边 在集市上 在雨中 在旧屋里 在山脚下 在灯塔旁 在清晨 在城门外 在书房里 在车站
manner: 慢慢地 悄悄地 终于 又一次 匆忙 小心翼翼地 几乎 毫不犹豫地 独自 仍然 忽然 偷偷
did: 修好了 想起了 藏起了 写下了 忘记了 卖掉了 寻找着 画出了 打开了 守护着 听见了 读完了
which: 一封 那把 半张 父亲的 远处的 一盏 褪色的 破损的 一扇 满树的 朋友的 无人认领的
what: 旧信 小提琴 地图 手表 歌声 油灯 照片 船帆 木门 花 日记 箱子 钥匙 雨伞 诗稿 影子
"""


def material() -> dict[str, list[str]]:
    kinds: dict[str, list[str]] = {}
    for line in WORDS.strip().splitlines():
        kind, words = line.split(": ")
        kinds.setdefault(kind, []).extend(words.split())
    return kinds


MATERIAL = material()


def english_prose(words: int, seed: int = 1) -> str:
    rng = random.Random(seed)
    sentences: list[str] = []
    count = 0
    while count < words:
        parts: list[str] = []
        for _ in range(rng.randint(1, 3)):
            parts += [
                "the",
                rng.choice(MATERIAL["adjectives"]),
                rng.choice(MATERIAL["nouns"]),
                rng.choice(MATERIAL["verbs"]),
            ]
            parts += [rng.choice(["a", "the", "her", "his", "every"]), rng.choice(MATERIAL["nouns"])]
            parts += rng.choice(MATERIAL["adverbs"]).split("-") if rng.random() < 0.6 else []
            parts.append(rng.choice(MATERIAL["links"]))
        sentence = " ".join(parts[:-1])
        sentences.append(sentence.capitalize() + rng.choice([".", ".", ";", "!", "?"]))
        count += len(parts) - 1
    return " ".join(sentences)


def chinese_prose(characters: int, seed: int = 1) -> str:
    rng = random.Random(seed)
    text = ""
    while len(text) < characters:
        clauses = [
            "".join(
                rng.choice(MATERIAL[kind])
                for kind in ("how", "who", "where", "manner", "did", "which", "what")
                if kind in ("who", "did", "what") or rng.random() < 0.6
            )
            for _ in range(rng.randint(1, 3))
        ]
        text += "，".join(clauses) + "。"
    return text


@pytest.mark.parametrize("text", ["", " \n\t", "\u3000\u2003"])
def test_empty(text):
    assert is_empty(text)
    assert not repetition(text).is_loop
    assert repetition(text).share == 0
    assert not is_wrong_language(text, "en")
    assert not is_refusal(text)


@pytest.mark.parametrize("text", ["a", "。", "0"])
def test_not_empty(text):
    assert not is_empty(text)


@pytest.mark.parametrize("words", [50, 2_000, 20_000])
def test_varied_prose_is_not_a_loop(words):
    text = english_prose(words)
    assert repetition(text).share < 0.05
    assert not repetition(text).is_loop


@pytest.mark.parametrize("characters", [200, 3_000, 10_000])
def test_varied_chinese_prose_is_not_a_loop(characters):
    text = chinese_prose(characters)
    assert repetition(text).share < REPEATED_SHARE
    assert not repetition(text).is_loop


def test_prose_with_a_refrain_is_not_a_loop():
    refrain = "\n\nAnd the bell rang over the sleeping town once more.\n\n"
    text = refrain.join(english_prose(150, seed) for seed in range(10))
    assert 0 < repetition(text).share < REPEATED_SHARE
    assert not repetition(text).is_loop


LOOPS = {
    "sentence": "He walked down the long road and never looked back. " * 80,
    "end only": english_prose(2_000) + " And so it went on and on for years." * 90,
    "paragraph": english_prose(400) * 6,
    "chinese": "他沿着那条长长的路走下去，再也没有回头。" * 60,
    "chinese end": chinese_prose(2_000) + "日子就这样一天一天地过去了，" * 50,
    "numbered": "".join(f"Item {i}: see item {i + 1}. " for i in range(400)),
    "punctuation": "—" * 4_000,
    "one letter": "a" * 4_000,
    "emoji": "😀" * 1_000,
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS.keys())
def test_loops(text):
    assert repetition(text).is_loop


def test_repetition_is_the_share_after_the_first_occurrence():
    once = "one two three four five six seven eight nine ten"
    assert repetition(once).share == 0
    assert repetition(f"{once} {once.upper()}").share == 0.5
    assert repetition(" ".join([once] * 4)).share == 0.75


@pytest.mark.parametrize("text", ["yes yes yes", "no\n" * 4, "哈哈哈哈", "\ud800" * 50])
def test_short_texts_are_no_loops(text):
    assert not repetition(text).is_loop


@given(st.text(max_size=300))
def test_repetition_is_a_share(text):
    found = repetition(text)
    assert 0 <= found.share <= 1
    assert found.start is None or 0 < found.start < 1


@given(st.text(st.characters(max_codepoint=127)))
def test_words_of_plain_text_are_those_of_any_text(text):
    assert _units(text) == _UNIT.findall(text)


def test_a_loop_is_said_to_begin_where_it_does():
    prose = english_prose(1_000)
    assert repetition(prose).start is None
    assert repetition(prose + " And so it went on and on for years." * 100).start == pytest.approx(
        0.53, abs=0.01
    )
    assert repetition("He walked on and never looked back again. " * 50).start < 0.03
    middle = english_prose(500) + " And so it went on and on for years." * 100 + english_prose(1_500, 2)
    assert repetition(middle).start == pytest.approx(509 / 2900, abs=0.01)


def test_a_stray_phrase_that_returns_is_no_beginning_of_a_loop():
    line = " It was a cold and quiet morning there. "
    text = english_prose(200) + line + english_prose(200, 2) + line + english_prose(2_000, 3)
    assert repetition(text).share > 0
    assert repetition(text).start is None


CODE_MIXED = (
    "我们用 PyTorch 和 Hugging Face 的 transformers 训练模型，再用 vLLM 做 continuous batching 的推理服务。"
    * 5
)


@pytest.mark.parametrize(
    ("text", "language", "wrong"),
    [
        (english_prose(100), "en", False),
        (english_prose(100), "zh", True),
        (chinese_prose(100), "zh", False),
        (chinese_prose(100), "en", True),
        (CODE_MIXED, "zh", False),
        (english_prose(100) + "The poem reads 床前明月光，疑是地上霜。", "en", False),
        ("きょうは とても いい てんき です。みんなで こうえんに いきました。", "zh", True),
        ("Сегодня мы идём в парк, потому что погода хорошая.", "en", True),
        ("12345 67,890 !!! 😀", "zh", False),
        (english_prose(100), "ja", False),
        (chinese_prose(100), "fr", False),
        ("Das hörte Émile früher über Österreich: çok güzel, naïve façades.", "zh", True),
        ("Один two три", "en", True),
        ("Один two drei", "en", False),
        ("中文 two words", "zh", False),
        ("中 two words", "zh", True),
    ],
)
def test_wrong_language(text, language, wrong):
    assert is_wrong_language(text, language) is wrong


REFUSALS = [
    "I'm sorry, but I can't help with that.",
    "I’m sorry, but I can’t assist with this request.",
    "Sorry, I cannot write this story.",
    "I apologize, but I am unable to generate content of that kind. Is there something else you need?",
    "As an AI language model, I cannot provide a text of 20,000 words.",
    "I'm really sorry, but as an AI assistant, I'm not able to produce such a long text in one go.",
    "**I can't create an article of that length.**\n\nI could offer an outline instead.",
    "Unfortunately, I cannot fulfill this request.",
    "I must respectfully decline.",
    "I won't be able to continue. I will not write that.\n",
    "很抱歉，我无法帮您写这篇文章。",
    "对不起，我不能提供这类内容。",
    "抱歉，作为一个人工智能助手，我无法生成这样的文本。",
    "作为AI语言模型，我不能撰写超过一万字的小说。",
    "我无法为您创作这样的故事。",
]


@pytest.mark.parametrize("text", REFUSALS)
def test_refusals(text):
    assert is_refusal(text)


NOT_REFUSALS = [
    "“I'm sorry, but I can't help you,” said Mara, and she closed the shutters of the bakery.",
    '"I cannot write this," the clerk whispered, pushing the paper back across the desk.',
    "I cannot remember the day the river froze, but my sister swears that it did.",
    "Dear Ms Okafor, I'm sorry that I can't attend the meeting on Friday. Kind regards, Tom",
    "I'm sorry about the delay. Your parcel has left our depot today and will arrive on Monday.",
    "We cannot thank you enough for the warm welcome at the harbour festival.",
    "“我不能帮你写这封信。”老人把笔放回桌上，转身走进雨里。",
    "很抱歉，本店因装修自下周一起暂停营业，给您带来不便，敬请谅解。",
    "很抱歉，由于航班延误，我不能参加明天的会议。",
    "As an architect, I can tell you that light matters more than walls.",
    "Helping is hard.",
    REFUSALS[0] + " " + english_prose(400),
    REFUSALS[-1] + chinese_prose(400),
]


@pytest.mark.parametrize("text", NOT_REFUSALS)
def test_not_refusals(text):
    assert not is_refusal(text)


@pytest.mark.parametrize(
    "piece", ["I am ", "a b ", "我", "我无法", "é1 ", "\u0301", "sorry, ", "as an ", "😀", "a"]
)
def test_hostile_long_texts_end(piece):
    text = (piece * 200_000)[:200_000]
    assert repetition(text).is_loop
    assert not is_refusal(text)
    is_wrong_language(text, "en")
