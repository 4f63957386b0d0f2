"""What the peers' scripts share: their options, a judge's prompt, its reply read, the length score.

The prompt is that of lbw-eval's judge, so that what is sent to a judge is as long. Nothing but the standard
library is imported: each script runs in the environment of its peer.
"""

from __future__ import annotations

import argparse
import json
import re
import secrets
from pathlib import Path

TEMPLATE = (Path(__file__).parents[3] / "judges/rubric/prompt.txt").read_text(encoding="utf-8")
QUALITIES = ("Relevance", "Accuracy", "Coherence", "Clarity", "Breadth and Depth", "Reading Experience")
LENGTH = "Length"


def options(description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model-url", required=True)
    parser.add_argument("--judge-url", required=True)
    parser.add_argument("--concurrency", type=int, required=True, help="requests in flight to each")
    parser.add_argument("--suite", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="folder for what is written")
    return parser.parse_args()


def judge_prompt(prompt: str, response: str) -> str:
    marked = TEMPLATE.replace("$MARK$", secrets.token_hex(8))
    return marked.replace("$INST$", prompt).replace("$RESPONSE$", response)


def scores(required: int, response: str, reply: str) -> dict[str, float]:
    """The six qualities as the judge gave them, and the length score."""
    verdict = json.loads(reply)
    return {name: float(verdict[name]) for name in QUALITIES} | {LENGTH: length_score(required, response)}


def length_score(required: int, response: str) -> float:
    """0 to 100, as arXiv 2408.07055 defines it."""
    words = len(re.findall(r"[\u4e00-\u9fff]|\b[a-zA-Z]+\b", response))
    if words > required:
        return 100 * max(0, 1 - (words / required - 1) / 3)
    return 100 * max(0, 1 - (required / words - 1) / 2) if words else 0
