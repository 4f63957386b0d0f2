"""Characters of scripts, as regular expressions have them between brackets."""

from __future__ import annotations

CJK = r"\u3005\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\U00020000-\U0003ffff"
"""Chinese, Japanese and Korean characters: units of a text by themselves, without spaces between them."""
