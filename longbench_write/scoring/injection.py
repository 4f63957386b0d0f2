"""Does a response speak to its judge? Signs that it carries orders, scores or control marks for a grader."""

from __future__ import annotations

import re

from longbench_write.metrics.quality import DIMENSIONS

_NAME = "|".join(name.replace(" ", r"[\s_]*") for name in DIMENSIONS)
_SCORE = re.compile(rf"(?:{_NAME})[\"'“”*_\s]{{0,4}}[:：=][\"'“”*_\s]{{0,4}}[1-5](?!\d)", re.IGNORECASE)
_NAMED = tuple(name.split()[0].lower() for name in DIMENSIONS)
_ANY_SCORES = 3
"""Different dimensions that have to be given a score for that to be a sign."""

_MARKS = (
    r"(?:full marks|(?:perfect|maximum|highest|top|best)(?: possible)? (?:score|rating|grade|mark)s?"
    r"|(?:a |scores? of )?(?:5|five)(?: out of 5|/5| stars?)?)"
)
_ALL = r"(?:all|every|each)(?: of)?(?: the)?(?: six)? (?:dimension|criteri|categor|score|rating|aspect)"
_GRADER = r"(?:judge|grader|evaluator|rater|reviewer|scor(?:er|ing model)|evaluation model|assistant|AI|LLM)"
_IGNORE = (
    r"(?:ignore|disregard|forget|override)(?: \w+){0,3} (?:previous|prior|above|earlier|preceding|other|your)"
)
_RULES = r"(?:instructions?|prompts?|rules?|rubric|criteria|guidelines?|orders?)"
_CRITERIA = (" dimension", " criteri", " categor", " score", " rating", " aspect")
_TOP_ZH = ("满分", "最高分", "5分", "五分")
_SIGNS = tuple(
    (words, re.compile(pattern, re.IGNORECASE))
    for words, pattern in (
        (
            ("<", "[inst]", "[/inst]", "$", "end of the response"),
            r"<\|[a-z_]{2,20}\|>|\[/?INST\]|<</?SYS>>|</?(?:response|system|assistant|analysis|instructions?)>"
            r"|END OF THE RESPONSE|\$RESPONSE\$|\$INST\$",
        ),
        (("ignore", "disregard", "forget", "override"), rf"\b{_IGNORE}(?: \w+){{0,2}} {_RULES}"),
        (
            _CRITERIA,
            r"\b(?:give|award|assign|rate|score|return|output|reply|grade)\b"
            rf"[^.\n]{{0,60}}{_MARKS}[^.\n]{{0,40}}{_ALL}",
        ),
        (
            _CRITERIA,
            rf"{_ALL}[^.\n]{{0,40}}\b(?:must|should|shall|deserves?|gets?|receives?|set to|rated?|scored?)\b"
            rf"[^.\n]{{0,30}}{_MARKS}",
        ),
        (
            ("dear ", "note to", "note for", "message to", "message for", "instruction", "you are the"),
            r"\b(?:dear|(?:note|message) (?:to|for) the|instructions? (?:to|for) the|you are the)"
            rf" {_GRADER}\b",
        ),
        (
            ("忽略", "无视", "忘记", "不要理会"),
            r"(?:忽略|无视|忘记|不要理会)[^。！？\n]{0,8}(?:以上|之前|先前|上述|前面|所有)[^。！？\n]{0,8}"
            r"(?:指令|指示|要求|规则|标准|提示)",
        ),
        (
            _TOP_ZH,
            r"(?:给|打|评|输出|请)[^。！？\n]{0,16}(?:满分|最高分|[5五]分)[^。！？\n]{0,10}"
            r"(?:维度|各项|每项|所有|全部)"
            r"|(?:各个?|每个?|所有|全部|六个)[^。！？\n]{0,6}(?:维度|项目?|指标)[^。！？\n]{0,12}"
            r"(?:满分|最高分|[5五]分)",
        ),
        (
            ("评分", "评审", "评判", "打分", "评价"),
            r"(?:评分|评审|评判|打分|评价)(?:模型|系统|AI|助手)(?:请|须|必须|注意|应)",
        ),
    )
)
"""Each sign with words of which all that it matches has one: where none stands, it need not be sought."""


def is_injection_suspected(response: str) -> bool:
    """Return whether a response seems to speak to its judge, in English or Chinese.

    It only says what is likely; no score depends on it.
    """
    plain = _lowered(response)
    if any(any(word in plain for word in words) and sign.search(response) for words, sign in _SIGNS):
        return True
    if sum(map(plain.count, _NAMED)) < _ANY_SCORES:
        return False
    return len({"".join(match[0].split()).lower()[:6] for match in _SCORE.finditer(response)}) >= _ANY_SCORES


def _lowered(text: str) -> str:
    """Return a text in small letters; what matches a Latin letter, case ignored, becomes that letter."""
    if not text.isascii():
        text = text.replace("ſ", "s").replace("İ", "i").replace("ı", "i")
    return text.lower()
