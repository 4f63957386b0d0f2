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


NAMES = ["Anna", "Boris", "Clara", "David", "Emil", "Frida", "Gustav", "Hanna", "Igor", "Julia", "Karl"]
CHINESE_NAMES = ["张三", "李四", "王小明", "赵六", "欧阳修", "孙丽", "周涛", "吴小梅", "郑和", "冯唐"]

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
    "last twentieth": english_prose(3_000) + " And so it went on and on for years." * 20,
    "names": english_prose(3_000)
    + "".join(f" {name} went to the market and bought a loaf of bread." for name in NAMES),
    "Chinese names": "".join(f"{name}走进教室，放下书包，开始认真听讲。" for name in CHINESE_NAMES),
    "spelled numbers": "他们出发了。"
    + "".join(f"第{n}天，西风，划了十个小时，休息两个小时。" for n in (*"一二三四五六七八九十", "十一")),
    "one word": english_prose(3_000) + " very" * 60,
    "dots": english_prose(3_000) + "…" * 600,
    "ends in the middle of a turn": english_prose(3_000)
    + " The committee shall meet again on Monday and report." * 9
    + " The committee shall",
    "closed": english_prose(3_000) + " And so it went on and on for years." * 30 + " The end.",
    "the whole text twice": english_prose(600) * 2,
}


@pytest.mark.parametrize("text", LOOPS.values(), ids=LOOPS.keys())
def test_loops(text):
    assert repetition(text).is_loop


NO_LOOPS = {
    "refrain at the end": english_prose(200) + "\nNa na na, hey Jude.\n" * 3,
    "song": "".join(
        english_prose(30, seed)
        + "\nSo pass me the lantern, pass me the line,\nThe tide's at the door, the morning is mine.\n"
        for seed in range(8)
    ),
    "litany": "Let us pray. " + " ".join(f"Holy {name}, pray for us." for name in NAMES),
    "Chinese litany": "\n".join(f"愿{name}得平安。" for name in CHINESE_NAMES),
    "lessons": "".join(
        f"## Lesson {n}\n\n**Aim.** {english_prose(12, n)}\n\n**Exercise.** {english_prose(15, n + 50)}\n\n"
        for n in range(20)
    ),
    "clauses": "".join(
        f"{n}. The Tenant shall not, without the written consent of the Landlord, {english_prose(9, n)}\n"
        for n in range(20)
    ),
    "table": "".join(f"| {name} | 06:{n:02} | 07:{n:02} | 08:{n:02} |\n" for n, name in enumerate(NAMES)),
    "times table": "\n".join(f"{i} x {j} = {i * j}" for i in range(1, 13) for j in range(1, 13)),
    "divider": english_prose(500) + "\n" + "-" * 120,
}


@pytest.mark.parametrize("text", NO_LOOPS.values(), ids=NO_LOOPS.keys())
def test_texts_that_repeat_themselves_for_a_reason(text):
    assert not repetition(text).is_loop


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
    assert found.start is None or 0 <= found.start <= 1


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


@pytest.mark.parametrize(
    "piece", ["I am ", "a b ", "我", "我无法", "é1 ", "\u0301", "sorry, ", "as an ", "😀", "a"]
)
def test_hostile_long_texts_end(piece):
    text = (piece * 200_000)[:200_000]
    assert repetition(text).is_loop
