"""Notes that call a text too long to be written at once, in English and Chinese.

A note speaks to the reader about the text, and says some of four things: how long all of it is, what keeps
it from being written, what is given in its place, and how it can go on. No single one of them makes a note,
since honest texts have each: an abstract leaves out details for want of space, a serial goes on next week.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

READ = 5000
"""Characters: of a text with no more, all paragraphs are read."""
END = 600
"""Characters at either end of a longer text in which a note stands; elsewhere it is a paragraph in brackets
or italics."""
MOST_APART = 20
"""Paragraphs in brackets or italics that are read."""

SENTENCE = re.compile(r"(?:[^.!?。！？…\n]|[.!?](?![\s)\]]|$))+")


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_TEXT_EN = (
    r"(?:texts?|essays?|stor(?:y|ies)|novels?|novellas?|articles?|books?|reports?|manuscripts?|versions?"
    r"|pieces?|works?|documents?|screenplays?|scripts?|plays?|plans?|guides?|content|length|drafts?"
    r"|memoirs?|histor(?:y|ies)|papers?|thes[ei]s|speech|manuals?|\w*books?|dissertations?|courses?|series"
    r"|comparisons?|biograph(?:y|ies)|answers?|responses?|things?)"
)
_PART_EN = (
    r"(?:parts?|sections?|chapters?|scenes?|acts?|pages?|portions?|instal?lments?|lessons?|days?|verses?"
    r"|volumes?|episodes?|quarter|half|third|tenth)"
)
_REPLY_EN = (
    r"(?:response|reply|message|answer|turn|output|chat|session|sitting|go|post|window|format|platform)"
)
_UNIT_EN = r"response|reply|replies|message|answer|turn|output|round"
_MANY_EN = r"(?:[0-9][0-9,.]*k?|(?:hundred|thousand)s?|dozens of|hundreds of)"
_NUMBER_ZH = r"(?:[0-9][0-9,，.]*|[几数]?[一二两三四五六七八九十百千万]+)[ 多余来]?[万千]?"

_COUNT_EN = (
    rf"\b{_MANY_EN}(?: |-)(?:\w+(?: |-))?(?:words?|pages?)\b|\b(?:to|of) the [0-9][0-9,]+|\b\w+-volume\b"
)
_COUNT_ZH = rf"{_NUMBER_ZH}个?(?:[字词页]|章的)|[一二三四五六七八九十]+卷本"
COUNT = _any(_COUNT_EN, _COUNT_ZH)
"""A length in words, characters or pages."""

WHOLE = _any(
    _COUNT_EN,
    _COUNT_ZH,
    rf"\b(?:full|entire|complete|whole|finished) (?:[\w,-]+ ){{0,3}}?{_TEXT_EN}\b"
    rf"|\ball (?:the )?\w+ {_PART_EN}\b",
    r"\b(?:this|that|such|so|requested|required|full|its) (?:an? )?(?:long|lengthy|length|size|scope"
    r"|scale)\b",
    rf"\b{_TEXT_EN} (?:this|that|so) (?:long|large)\b|\bbook-length\b",
    r"完整|全文|全篇|全书|全部|整[篇部本套]|[这此]么长|[如这]此长|这样长|长[篇文]",
    r"(?:要求?|原|所需)的?篇幅|体量|规模|三部曲",
)
"""The whole text that was asked for, or its length."""

LIMIT = _any(
    r"(?<!within the )(?<!within your )\b(?:length|space|size|words?|tokens?|characters?|output|response"
    r"|reply|message|platform|format)s? (?:\w+ )?"
    r"(?:limit\w*|constraint\w*|restriction\w*|cap|ceiling|maximum|available)\b|\bmaximum (?:length"
    r"|\w+ can)\b",
    rf"\b(?:limit\w*|constraints?|restrictions?|maximum|ceiling) (?:\w+ ){{0,4}}(?:length|space"
    rf"|{_REPLY_EN})\b",
    r"\blimited (?:space|room|output|length|in how)|\b(?:space|room|output|length) (?:is|are"
    r"|being) limited\b",
    r"\bfor (?:the sake of )?brevity\b|\b(?:reasons of|save|lack of|want of) (?:space|length|room)\b"
    r"|\bout of (?:room|space)\b|\bbecause of its length\b",
    r"\btoo (?:long|large|lengthy|extensive|big|much)\b"
    rf"|\b(?:take up|fill|run to|running to) (?:\w+ ){{0,3}}(?:{_MANY_EN}|pages)\b",
    r"\b(?:beyond|past|over|exceed\w*|(?:more|longer|larger|bigger) than)\b(?: [\w']+){0,4} "
    rf"(?:i|i'm|my|limits?|space|possible|feasible|generated|produced|written|{_REPLY_EN})\b",
    r"(?:n't|\bnot|\bcannot|\bunable) (?:\w+ ){0,2}(?:fit|hold|feasible|practica\w+|realistic|possible)\b"
    r"|\bimpractical\b|\bunfeasible\b|\b(?:more|much) space than\b|\b(?:as far as|all that|all) (?:one"
    r"|a) \w+ (?:will|can|allows)\b|\bone (?:shot|piece)\b|\b(?:limited|constrained|restricted) in how\b"
    r"|\blimit (?:has been |is |was )?reached\b|\bgetting (?:too |rather |quite )?long\b|\b(?:long"
    r"|much) time to (?:produce|write)\b|\bmanageable\b|\b(?:vast|enormous|huge|massive) (?:subject|topic"
    r"|undertaking|task|project|text)\b|\blength of the task\b|\btop out\b|\bspace (?:doesn't|does not"
    r"|won't)\b|\blength reasons\b|\b(?:so (?:that )?it|won't|to) fits?\b|\brather than (?:writ|produc|giv"
    r"|try)ing\b|\b(?:right away|all at once)\b|\b(?:limit|ceiling|cap) (?:on|to) how (?:long|much)\b"
    r"|\bwords is a lot\b",
    r"(?:n't|\bnot|\bcannot|\bunable)\b[^.]{0,70}\b(?:at once|at a time|"
    rf"(?:in|into|within|with) (?:a|an|one|the|this|my|each) (?:single |one )?{_REPLY_EN})\b",
    rf"\b(?:keep|fit|stay) (?:\w+ )?(?:within|in|into) (?:\w+ ){{0,3}}{_REPLY_EN}\b|\bget(?:ting)? cut\b"
    rf"|\b(?:be|being|is) cut (?:off|short)\b",
    r"(?:篇幅|字数|长度|输出|回复|回答|平台|版面)[^，。]{0,8}(?:限(?!制?[以之]?内)|超|原因"
    r"|[较过太很][多长大])|限于|受限|囿于",
    r"篇幅不允许|[讲说谈]不[透尽]|(?:题目|任务|工程|内容)[^，。]{0,3}[太过](?:大|庞大)|(?:回复|内容"
    r"|篇幅)[^，。]{0,3}有点长|要?很长时间|便于掌握|一次放下|循序渐进|[过太]长(?!的话)|占[^，。]{0,6}页"
    r"|(?:体量|规模)[^，。]{0,4}[太过较很]大|超[出过][^，。]{0,12}(?:限|长度|一次|单次|能|输出|篇幅)|远超",
    r"[写放装容发讲]不[下完了成]|有限|不(?:太)?(?:现实|可行|实际|可能)|极限|上限|截断",
    r"(?:无法|没法|不能|难以|没办法)[^，。]{0,15}(?:一次|单次|一条|一口气|一下子|一个回复)",
    r"(?:一次|单次|一条|一口气|一下子)[^，。]{0,12}(?:不|难|无法)|(?:节省|控制)[^，。]{0,8}(?:篇幅|长度)",
)
"""What keeps the whole text from being written."""

REPLY = _any(
    rf"\b(?:in|into|within|with|for|on|over|across|of|than|per|as) (?:a|an|one|this|my|each|any|several"
    rf"|multiple|the next|a second)(?: single| one| separate)? (?:{_UNIT_EN})s?\b",
    rf"\b(?:one|a single|each|several|multiple|another) (?:{_UNIT_EN})s?\b"
    r"|\b(?:token|output|response|reply|message|character|platform)s? (?:\w+ )?(?:limit|constraint|cap"
    r"|maximum|length)|\bspace (?:available|i have)\b|\b(?:answer|reply|response"
    r"|message) (?:[\w']+ ){1,4}too long\b",
    r"单次|一次性?(?:回复|回答|输出|生成|写)|一条(?:消息|回复)|[一每下][个轮次条一]{1,2}(?:回复|回答|对话"
    r"|消息|输出)|[多几]轮|回复的?(?:长度|字数|限)|(?:输出|回复|回答)[^，。]{0,6}(?:限|长度|上限|窗口|写不"
    r"|太长|不现实)|分[多几]?次(?:发|写|输出|回复|完成)|回复 ",
)
"""The reply in which a text is written, or several, of which no other text speaks."""

PART = _any(
    r"\b(?:outlined?|sample|plan|gist|pilot episode|confined|skeleton|framework|roadmap|bullet points"
    r"|table of contents|synopsis|overview|prologue|prelude|summar(?:y|ies)|introduction|essentials"
    r"|highlights|key points|in brief|only|(?:for|right) now|so far|instead|(?:i'll|i've|to|must) (?:end"
    r"|stop|pause)|(?:ends?|stopped|paused?|stopping) (?:here|at|there)|\w+ of them)\b"
    r"|\bof the [0-9][0-9,]+ (?:words )?(?:you|that)\b",
    rf"\b(?:first|second|opening|initial|beginning|single|one) (?:\w+ )?{_PART_EN}\b"
    r"|\b(?:part|chapter|act|volume) (?:one|1|i)\b|\b(?:opening|beginning|start) of\b|\bfirst draft\b"
    r"|\bto begin\b",
    r"大纲|提纲|梗概|大意|简介|开篇|试播|第一集|只谈|框架|概[要述]|摘要|简介|目录|设定|路线图|序[章言]"
    r"|引言|开[头篇场]|骨架|小传|要点|部分|章节安排|试写",
    r"[首第前][一1两三几]?[章节幕部场期卷课]|先(?:为|给|提供|写|列|定|从|呈|把|看|搭|做|停|到)|只(?:能|写"
    r"|列|给|选|挑)|仅|其中[几两三]|写到|分之|较短|短一些|离[您你]要的",
)
"""What there is in its place."""

ABRIDGED = _any(
    rf"\b(?:condens\w+|abridged|abbreviated|shorten(?:ed)?|compress(?:ed)?|trimmed|truncated|partial"
    rf"|excerpts?|an extract|samples? (?:of|passages?|pages|{_PART_EN})|(?:short(?:er)?|brief|compact"
    rf"|smaller|lite|starter|simplified) (?:version|draft|[0-9]))\b",
    r"节选|选段|片段|样章|删[减节]|缩[写略减短]|压缩|浓缩|精简|(?:入门|基础|精华|简化|简|短)版|简[略要]"
    r"|短篇版",
)
"""What there is, is an abridgement, of which a text seldom speaks at its ends."""

MORE = _any(
    r"\b(?:continu\w+|carry on|go on|keep going|proceed|expand\w*|lengthen|work through|omitted|(?:left"
    r"|leave|leaving) out|skipped|ready for more|to follow|keep writing|flesh(?:ed)? out|elaborate"
    r"|separately|gradually|whenever you|pick up where|remainder|(?:other|another|next|separate) messages?"
    r"|in stages|once you (?:approve|confirm|agree)|upon confirmation|want (?:me|the))\b",
    rf"\b(?:remaining|next|other|more|missing|further|following|later|subsequent"
    rf"|rest(?: of the)?) (?:\w+ )?{_PART_EN}\b"
    r"|\bthe rest\b|\b(?:would|will|can|could) follow\b|\bfrom there\b|\bnext (?:message|reply)\b"
    r"|\bremaining\b",
    rf"\bstep by step\b|\b(?:{_PART_EN}|piece) (?:by|after|upon)\b|\b(?:over|across) (?:\w+ ){{0,2}}"
    rf"(?:{_PART_EN}|messages|replies)\b|\b(?:in|into) (?:several |more |smaller )?(?:parts|stages|steps"
    rf"|pieces|sections)\b|\binstal?lments?\b|\bper (?:message|reply|turn)\b",
    rf"\bone {_PART_EN} (?:at a time|per|after)\b|\bbreak (?:it|this)\b|\btogether\b|\bon request\b"
    rf"|\bat a time\b",
    r"\b(?:let me know|tell me|ask (?:me|for)|just say|would you like|shall i|should i|do you want"
    r"|if you(?:'d| would)?"
    r" (?:like|want|wish))\b|\b(?:which|choose|pick) (?:an? |of )?(?:the )?(?:\w+ )?" + _PART_EN,
    r"继续|续写|接着|接下来|后[续面]|其余|余下|剩[下余]|往下写|从略|省略|略去|边写边|往下看|待续|另外发"
    r"|充实|[下后]半|下接|随时|另发|补充|分阶段|往下|分成?(?:[多几数若]?[干次期批步章轮卷]|十[几五]?期)"
    r"|逐[章段步节场]|一[章节段场步]一[章节段场步]",
    r"每次|补[齐全上充]|展开|扩[写展充]|哪[一个]?[章节卷部场]|下[一]?[条部章]|告诉我|告知|要不要|需要的话"
    r"|如需|如果需要|获取|慢慢|多轮|[选定]一?章|愿意的话",
)
"""How it goes on, or what was left out."""

ADDRESS = _any(
    r"\b(?:i|i'm|i've|i'd|i'll|my|me|you|your|we|let's|here|here's|below|above|what follows|note|please"
    r"|this (?:sample|excerpt|version|is|message|reply))\b",
    r"[您你我咱]|以下|以上|[下上][面文]|这里|此处|本次|如下|[附备]?注|说明|请|吗|？|建议|到此|目前|[（【]"
    r"|^[\s*_]*[\[(]",
)
"""Somebody speaks to the reader."""

_POINTS = ((WHOLE, 1.0), (COUNT, 0.5), (LIMIT, 1.75), (REPLY, 1.25), (MORE, 1.0))
ENOUGH = 3.0
"""What the signs of a note come to, at the least; a part is one point, an abridgement two. In none of 2,500
answers of five open models, of which none has a note, do they come to that."""

_RIGHTS = _any(r"\bcopyright|\binfring|\brights\b", r"[版著]作?权|侵[权犯]|权益")
_OMITTED = _any(
    r"\b(?:continue[sd]?|to follow|omitted|left out|skipped|abridged)\b", r"略(?!有|微|显)|未完|待续"
)
_REST = _any(
    rf"\b(?:remaining|rest|remainder|other)\b|\b{_MANY_EN} (?:more )?words\b|\b(?:chapters?"
    rf"|sections?) [0-9]|\bnext (?:message|reply|response|part)\b",
    r"其余|余下|剩[下余]|以下|中间|后[文续]|部分|章节|第[^，。]{1,5}章",
)
_SET_APART = re.compile(
    rf"^[ \t…]*(?:[\[(（【].{{0,{END}}}[\])）】]|(?P<mark>[*_]{{1,3}})(?![\s*_]).{{0,{END}}}(?P=mark)"
    rf"|\.\.\. ?\(.{{0,{END}}}\))[ \t…]*$",
    re.MULTILINE,
)


def is_length_note(passage: str) -> bool:
    """Return whether one paragraph says that the text is too long to be written at once."""
    sentences = SENTENCE.findall(passage)
    return any(map(_is_note, map(" ".join, itertools.zip_longest(sentences, sentences[1:], fillvalue=""))))


def notes(text: str) -> Iterator[str]:
    """Yield the paragraphs of a text in which a note on its length may stand."""
    if len(text) <= READ:
        yield from text.splitlines()
        return
    yield from text[:END].splitlines()
    yield from text[-END:].splitlines()
    apart = itertools.islice(_SET_APART.finditer(text, END, len(text) - END), MOST_APART)
    yield from (paragraph[0] for paragraph in apart)


def _is_note(sentences: str) -> bool:
    """Return whether two sentences are a note on the length of a text."""
    if not ADDRESS.search(sentences) or _RIGHTS.search(sentences):
        return False
    points = sum(weight for sign, weight in _POINTS if sign.search(sentences))
    return points + max(2.0 * bool(ABRIDGED.search(sentences)), bool(PART.search(sentences))) >= ENOUGH


def is_omission(line: str) -> bool:
    """Return whether a line set apart says that a part of the text was left out."""
    return bool(_SET_APART.match(line) and _OMITTED.search(line) and _REST.search(line))
