"""What a text shows by itself of having been spoilt on its way from the model.

Each check takes time linear in the text, and says nothing where an honest text could look the same.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from longbench_write.serving.suspects import BROKEN_TEXT, ERROR_TEXT, GLUED, MIXED_SCRIPT

_LATIN = r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f"
_HAN = r"\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"

_LETTERS = re.compile(f"[{_LATIN}]+")
_LONG_WORD = re.compile(r"[a-z\u00df-\u00f6\u00f8-\u00ff]{20,}")
"""Twenty small letters in a row, of which no language has many; capitals part the names in programs."""

_GLUED_SHARE = 0.5
"""Of a text's letters, in such words; German, which glues words by itself, seldom has a tenth."""

_GLUED_EVERY = 7
"""Characters between two spaces or line ends, fewer than which no text with so many such words has."""

_FEWEST_LETTERS = 30
"""Of a text in which glued words can be told from one long word."""


def is_glued(text: str) -> bool:
    """Return whether the words of a text in Latin letters stand without spaces between them."""
    if _GLUED_EVERY * (text.count(" ") + text.count("\n")) > len(text):
        return False
    glued = sum(map(len, _LONG_WORD.findall(text)))
    if not glued:
        return False
    letters = sum(map(len, _LETTERS.findall(text)))
    return letters >= _FEWEST_LETTERS and glued >= _GLUED_SHARE * letters


_CONTINUATION = (
    r"[\u0080-\u00bf\u20ac\u201a\u0192\u201e\u2026\u2020\u2021\u02c6\u2030\u0160\u2039\u0152\u017d"
    r"\u2018\u2019\u201c\u201d\u2022\u2013\u2014\u02dc\u2122\u0161\u203a\u0153\u017e\u0178]"
)
_MOJIBAKE = re.compile(
    rf"[\u00c2\u00c3\u00ce-\u00d1]{_CONTINUATION}|[\u00e2-\u00ef]{_CONTINUATION}{{2}}|\u00f0{_CONTINUATION}{{3}}"
)
"""UTF-8 that was read as Windows-1252 or Latin-1: letters beyond ASCII, marks, ideographs, emoji."""

_LOST = re.compile("\ufffd+")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_OF_ENCODINGS = re.compile(
    r"mojibake|unicode|utf-?8|latin-?1|encod|charset|replacement character|编码|乱码|字符集|文字化け",
    re.IGNORECASE,
)
"""Words of texts that may show broken characters because they are about them."""

_FEWEST_PLACES = 2
_FEWEST_MOJIBAKE = 3
_MOJIBAKE_SHARE = 0.6
"""Of the characters beyond ASCII: an honest text has others too, one that was read wrongly has none."""

_DENSE = 100
"""Characters of a text for each broken place, below which it is broken whatever it is about."""

_FEWEST_IDEOGRAPHS = 20
_GBK_SHARE = 0.4
"""Of the bytes of such ideographs that are ideographs in UTF-8; of others it is next to nothing."""


def is_broken(text: str) -> bool:
    """Return whether characters of a text were lost or read in another encoding.

    What a limit of tokens leaves of the last character is no sign of that.
    """
    if text.isascii():
        return False
    lost = len(_LOST.findall(text.rstrip("\ufffd"))) if "\ufffd" in text else 0
    wrong = _MOJIBAKE.findall(text)
    found = lost if lost >= _FEWEST_PLACES else 0
    if len(wrong) >= _FEWEST_MOJIBAKE:
        beyond = len(_BEYOND_ASCII.findall(text))
        found += len(wrong) if sum(map(len, wrong)) >= _MOJIBAKE_SHARE * beyond else 0
    if not found:
        return _is_utf8_read_as_gbk(text)
    return found * _DENSE >= len(text) or not _OF_ENCODINGS.search(text)


_IDEOGRAPHS = re.compile(f"[{_HAN}]+")


def _is_utf8_read_as_gbk(text: str) -> bool:
    """Return whether the ideographs of a text are what GBK makes of the bytes of UTF-8."""
    ideographs = "".join(_IDEOGRAPHS.findall(text))
    if len(ideographs) < _FEWEST_IDEOGRAPHS:
        return False
    encoded = ideographs.encode("gb18030")
    read = _IDEOGRAPHS.findall(encoded.decode("utf-8", "ignore"))
    return sum(len(each.encode()) for each in read) >= _GBK_SHARE * len(encoded)


_STREWN_IDEOGRAPHS = re.compile(rf"(?<=[a-z]) ?[{_HAN}]{{1,4}} ?(?=[a-z])")
"""Ideographs between two English words, without any mark that would set them off."""

_STREWN_WORDS = re.compile(
    rf"(?<=[{_HAN}]) ?(?:the|of|and|to|is|was|were|are|that|with|his|her|their|they|this|from|which|had|have|"
    rf"but|not|when|would|could) ?(?=[{_HAN}])"
)
"""An English word of no meaning of its own between ideographs, where nobody puts a term or a name."""

_OF_LANGUAGES = re.compile(
    r"chinese|mandarin|cantonese|japan|korea|kanji|hanzi|hanja|pinyin|hiragana|ideogra|calligraph|translat|"
    r"bilingual|language|vocabulary|[汉漢中英双雙]语|[汉漢英]語|日本|外语|中文|英文|双语|翻译|語|单词|生词|词汇|语法|"
    r"介词|冠词|代词|连词|动词|作文课|字幕",
    re.IGNORECASE,
)
"""Words of texts, or of what was asked for, that have a reason to put one script between the other."""

_FEWEST_STREWN = 5
_STREWN_EVERY = 1500
"""Characters of a text in which one place is to be expected where a script is strewn over it."""


def is_mixed(text: str, prompt: str) -> bool:
    """Return whether ideographs are strewn over a Latin text, or English words over a Chinese one.

    Args:
        text: The response.
        prompt: What it answers: who asks for two languages gets them.
    """
    if text.isascii() or not _IDEOGRAPHS.search(text):
        return False
    places = max(len(strewn.findall(text)) for strewn in (_STREWN_IDEOGRAPHS, _STREWN_WORDS))
    if places < _FEWEST_STREWN or places * _STREWN_EVERY < len(text):
        return False
    return not (_OF_LANGUAGES.search(text) or _OF_LANGUAGES.search(prompt))


_LONGEST_ERROR = 300
"""Characters that an error's sentence has at most; a page or JSON object of one may be longer."""

_LONGEST_PAGE = 4000

_ERRORS = (
    r"(?:\w+ ){0,4}(?:error|exception)s?(?: code)?(?: (?:has |was )?(?:occurred|happened|encountered)\b"
    r"| ?[:\-(\[]|[.!]? ?\d{3}\b|\W*\Z)",
    r"[\w.]{0,60}(?:error|exception)\b[: ]",
    r"(?:http |status |code |error )*[45]\d\d ?[:\-]? ?(?:bad|internal|service|gateway|too many|forbidden"
    r"|unauthori|not found|request time|client closed)",
    r"(?:bad gateway|gateway time-?out|service (?:temporarily )?unavailable|too many requests"
    r"|internal server error|upstream (?:connect|request)|no healthy upstream|rate limit)\b",
    r"(?:the )?(?:connection|request|stream|operation) (?:was |has )?(?:been )?(?:refused|reset|timed? ?-?out"
    r"|aborted|failed|interrupted)\b",
    r"(?:the |our |this )?(?:server|service|model|system|engine|api)s? (?:is|are) "
    r"(?:currently |temporarily |too )*(?:overloaded|busy|unavailable|down|at capacity|not available)\b",
    r"(?:you |you have |you've )?(?:exceeded|reached) your (?:current )?(?:quota|rate|usage)\b",
    r"(?:(?:we're |i'm )?sorry|oops|apologies)[,.! ]+(?:but )?(?:something went wrong"
    r"|(?:there was )?an? (?:\w+ ){0,3}error\b|(?:the |our )?(?:server|service|model)s? (?:is|are)\b)",
    r"(?:something went wrong|there was an? (?:\w+ ){0,3}error\b|traceback \(most recent call last\))",
    r"(?:很?抱歉|对不起)?[，,。！! ]*(?:服务器?|系统|网络|模型|接口|请求|当前)[^。！!，,]{0,12}?"
    r"(?:繁忙|错误|出错|异常|超时|不可用|过载|失败|拥挤|限流)",
)
_ERROR = re.compile(rf"[\W_]*(?:{'|'.join(_ERRORS)})", re.IGNORECASE)
"""How servers and gateways begin the sentence of an error."""

_PAGE = re.compile(r"\s*<(?:!doctype\s+html|html|head|title)\b", re.IGNORECASE)
_ERROR_PAGE = re.compile(
    r"<title>[^<]*(?:\b[45]\d\d\b|error|unavailable|bad gateway|time-?out|forbidden|denied|just a moment)",
    re.IGNORECASE,
)


def is_error(text: str) -> bool:
    """Return whether all of a text is what a server or a gateway says of an error."""
    text = text.strip()
    if not text or len(text) > _LONGEST_PAGE:
        return False
    if text[0] in "{[":
        return _is_error_object(text)
    if _PAGE.match(text):
        return _ERROR_PAGE.search(text) is not None
    return len(text) <= _LONGEST_ERROR and _ERROR.match(text) is not None


def _is_error_object(text: str) -> bool:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return len(text) <= _LONGEST_ERROR and _ERROR.match(text) is not None
    if isinstance(body, list) and body:
        body = body[0]
    return isinstance(body, dict) and any(body.get(name) for name in ("error", "errors"))


def spoilt(text: str, prompt: str) -> Iterable[str]:
    """Yield the reasons that a text itself shows.

    Args:
        text: The response, without reasoning.
        prompt: What it answers.
    """
    if is_glued(text):
        yield GLUED
    if is_broken(text):
        yield BROKEN_TEXT
    if is_mixed(text, prompt):
        yield MIXED_SCRIPT
    if is_error(text):
        yield ERROR_TEXT
