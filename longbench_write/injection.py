"""Does a response speak to its judge? Signs that it carries orders, scores or control marks for a grader."""

from __future__ import annotations

import re

from longbench_write.records import DIMENSIONS

_NAME = "|".join(name.replace(" ", r"[\s_]*") for name in DIMENSIONS)
_SCORE = re.compile(rf"(?:{_NAME})[\"'“”*_\s]{{0,4}}[:：=][\"'“”*_\s]{{0,4}}[1-5](?!\d)", re.IGNORECASE)
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
_SIGNS = re.compile(
    r"<\|[a-z_]{2,20}\|>|\[/?INST\]|<</?SYS>>|</?(?:response|system|assistant|analysis|instructions?)>"
    r"|END OF THE RESPONSE|\$RESPONSE\$|\$INST\$"
    rf"|\b{_IGNORE}(?: \w+){{0,2}} {_RULES}"
    rf"|\b(?:give|award|assign|rate|score|return|output|reply|grade)\b[^.\n]{{0,60}}{_MARKS}[^.\n]{{0,40}}{_ALL}"
    rf"|{_ALL}[^.\n]{{0,40}}\b(?:must|should|shall|deserves?|gets?|receives?|set to|rated?|scored?)\b"
    rf"[^.\n]{{0,30}}{_MARKS}"
    rf"|\b(?:dear|(?:note|message) (?:to|for) the|instructions? (?:to|for) the|you are the) {_GRADER}\b"
    r"|(?:忽略|无视|忘记|不要理会)[^。！？\n]{0,8}(?:以上|之前|先前|上述|前面|所有)[^。！？\n]{0,8}"
    r"(?:指令|指示|要求|规则|标准|提示)"
    r"|(?:给|打|评|输出|请)[^。！？\n]{0,16}(?:满分|最高分|[5五]分)[^。！？\n]{0,10}(?:维度|各项|每项|所有|全部)"
    r"|(?:各个?|每个?|所有|全部|六个)[^。！？\n]{0,6}(?:维度|项目?|指标)[^。！？\n]{0,12}(?:满分|最高分|[5五]分)"
    r"|(?:评分|评审|评判|打分|评价)(?:模型|系统|AI|助手)(?:请|须|必须|注意|应)",
    re.IGNORECASE,
)


def is_injection_suspected(response: str) -> bool:
    """Whether a response seems to speak to its judge, in English or Chinese.

    It only says what is likely; no score depends on it.
    """
    if _SIGNS.search(response):
        return True
    return len({"".join(match[0].split()).lower()[:6] for match in _SCORE.finditer(response)}) >= _ANY_SCORES
