"""Files as other harnesses write them, with texts of our own."""

from __future__ import annotations

import heapq
import json
import random
from pathlib import Path

from longbench_write.metrics.length import count_words
from longbench_write.metrics.quality import DIMENSIONS

TEXTS = [
    (
        "Explain to gardeners why compost heaps grow warm in winter.",
        "A compost heap is a meal for bacteria. While they eat, they give off heat, and a big heap keeps "
        "it in "
        "even through a winter night. Gardeners turn it so that air reaches the middle.",
    ),
    (
        "Tell the story of a lighthouse keeper who finds a violin on the beach.",
        "The violin lay between two stones. The keeper carried it up the lighthouse stairs, dried its "
        "strings "
        "by the lamp and, since nobody heard him but gulls, began to play above the beach.",
    ),
    (
        "Report on the new tram line between the harbour and the university.",
        "From Monday on, trams will leave the harbour every ten minutes and reach the university after "
        "fourteen. The line cost less than planned, the city said, though two stops are still unfinished.",
    ),
    (
        "Draft a lesson plan on fractions for pupils of nine years.",
        "Begin with a cake. Pupils cut it into fractions, first halves, then quarters, and write each "
        "down. In "
        "the second part of the lesson they compare fractions on a number line.",
    ),
    (
        "Review a novel about a chess player who loses her memory.",
        "The novel opens with a chess game that its heroine no longer remembers. What follows is less about "
        "memory than about patience: each player has to learn her own openings anew.",
    ),
    (
        "Describe how glaciers carve valleys, for readers without any geology.",
        "A glacier moves like honey down a slope. The stones frozen into its belly scrape the ground, and "
        "over "
        "thousands of years the valley under the ice becomes wide and round. Geology calls that a trough.",
    ),
    (
        "Write a letter of complaint to an airline about a lost cello.",
        "To the airline: on the third of May you lost my cello. It was checked in, tagged and promised; it "
        "has "
        "not been seen since. I complain of the loss and of eleven calls that nobody returned.",
    ),
    (
        "Compare beekeeping in cities with beekeeping in the country.",
        "City bees find lime trees and balconies; country bees find rape, and spray. Beekeepers in the "
        "country "
        "lose more hives, while urban beekeeping suffers from neighbours and a lack of space.",
    ),
    (
        "为茶叶店写一篇介绍乌龙茶的文章。",
        "走进这家茶叶店,最先闻到的是乌龙茶的香气。它介于绿茶与红茶之间,介绍起来要从摇青说起。",
    ),
    (
        "请写一个关于盲人修表匠的短篇小说。",
        "修表匠看不见,却听得出每只表的脾气。盲人用指尖数齿轮,小说里的时间于是慢了下来。",
    ),
    (
        "报道一座古桥在洪水之后的修复过程。",
        "洪水退去之后,古桥只剩两个桥墩。修复过程历时三年,工匠把河里的石头一块块捞了上来。",
    ),
    (
        "给小学生讲解月亮为什么有圆缺。",
        "月亮自己不发光。太阳照亮它的一半,我们看到的部分每天不同,所以月亮有圆缺,小学生可以用橘子来试。",
    ),
    (
        "写一份社区图书馆的志愿者招募启事。",
        "社区图书馆需要志愿者。招募条件很简单:喜欢书,周末有空。志愿者负责上架和给孩子读故事。",
    ),
    (
        "分析高铁对县城旅馆业的影响。",
        "高铁通车以后,县城的客人当天就能回家。旅馆业的入住率下降,但是影响并不一样,景区旁的旅馆反而更满。",
    ),
    (
        "写一封信,劝朋友不要放弃学习大提琴。",
        "朋友,你说想放弃大提琴。学习它本来就慢,我劝你再等一个冬天,琴声会自己回来。",
    ),
    (
        "评论一部讲述沙漠医生的纪录片。",
        "纪录片跟着一位医生穿过沙漠。评论者常说它安静,我看它讲述的是等待:病人等车,医生等雨。",
    ),
]
"""Pairs of a prompt and a text that answers it."""


def answer(prompt: str, response: str, length: int = 100, **more) -> dict:
    """A line of pred.jsonl."""
    written = count_words(response)
    line = {"prompt": prompt, "type": "News Report", "length": length, "response_length": written}
    return line | {"response": response} | more


def scores(*values) -> dict:
    """Return what the reference scripts read of a judge's reply."""
    return {"Analysis": "Clear.", **dict(zip(DIMENSIONS, values, strict=True))}


def totals(judged) -> dict:
    """The line of totals that they append."""
    means = {name: sum(float(line["scores"][name]) for line in judged) / len(judged) for name in DIMENSIONS}
    scaled = {name: (mean - 1) * 25 for name, mean in means.items()}
    return scaled | {"total": sum(scaled.values()) / 6}


def write_lines(path: Path, lines) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def write_reference(folder: Path, answers, judged=None, *, end=None) -> Path:
    """The files of the reference scripts; `end` stands for the line of totals."""
    write_lines(folder / "pred.jsonl", answers)
    if judged is not None:
        write_lines(folder / "judge.jsonl", [*judged, end or totals(judged)])
    return folder


def text_suite(folder: Path, texts=TEXTS) -> Path:
    """A suite of the prompts of `TEXTS`."""
    lines = [{"prompt": prompt, "type": "News Report", "length": 100} for prompt, _ in texts]
    return write_lines(folder / "texts.jsonl", lines)


def in_order_of_completion(lengths, workers: int, seed: int) -> list[int]:
    """In which order tasks end that begin in theirs, so many at once, and last as long as they are long.

    This is the order in which evalscope puts responses beside its prompts.
    """
    rng = random.Random(seed)
    free = [0.0] * workers
    ends = []
    for task, length in enumerate(lengths):
        end = heapq.heappop(free) + length * rng.uniform(0.5, 1.5)
        heapq.heappush(free, end)
        ends.append((end, task))
    return [task for _, task in sorted(ends)]
