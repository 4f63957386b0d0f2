"""The gate on runs of the real embedded model: a re-run passes, answers cut to a third do not."""

from __future__ import annotations

import json

import pytest

from longbench_write import evaluate
from longbench_write.compare.loading import load_scores
from longbench_write.gate.gate import Outcome, check

pytestmark = [pytest.mark.model, pytest.mark.slow]

ASKED = [
    ("Describe the way from your house to the sea.", 60),
    ("Write a short letter to a friend about a new bicycle.", 60),
    ("Explain how bread is made.", 65),
    ("Tell what a fox does in winter.", 65),
    ("Describe a market in the morning.", 70),
    ("Explain why leaves fall in autumn.", 70),
    ("Tell the history of paper.", 2500),
    ("Write a story about two sailors.", 3000),
]
"""The two last are asked for far more than either run can give, so that nothing can fall there."""


def test_cut_answers_close_the_gate_and_a_re_run_does_not(tmp_path):
    suite = tmp_path / "short.jsonl"
    suite.write_text(
        "".join(json.dumps({"prompt": text, "length": words}) + "\n" for text, words in ASKED),
        encoding="utf-8",
    )

    def run(name, max_tokens):
        evaluate(
            model="local/smollm2-135m",
            suite=str(suite),
            judge="none",
            out=tmp_path / name,
            max_tokens=max_tokens,
        )
        return load_scores(tmp_path / name)

    first, again, cut = run("first", 90), run("again", 90), run("cut", 30)
    assert check(first, again).exit_code == 0
    verdict = check(first, cut)
    assert verdict.exit_code == 3
    (length,) = [finding for finding in verdict.findings if str(finding.metric) == "S_l"]
    assert length.outcome is Outcome.REGRESSED
    assert [change.metric.range for change in length.fell_in] == ["[0,500)"]
    assert any("max_tokens 90 → 30" in note for note in verdict.notes)
