"""Plans as models send them instead of the one that was asked for: each gives steps, or a reason."""

from __future__ import annotations

import json

import pytest
from servers.answers import Answer
from servers.openai_server import OpenAIServer

from longbench_write import evaluate

LINES = [f"Paragraph {n} - Main Point: part {n} - Word Count: {n}00 words" for n in range(1, 4)]
OBJECTS = [{"paragraph": n, "main_point": f"part {n}", "word_count": 100 * n} for n in range(1, 4)]
PLANS: dict[str, tuple[str, list[int] | str]] = {
    "white space alone": (" \n\n", "plan_unreadable"),
    "a refusal": ("I'm sorry, but I can't help with that.", "plan_unreadable"),
    "JSON in one line": (json.dumps(OBJECTS), "plan_unreadable"),
    "JSON in many lines": ("```json\n" + json.dumps(OBJECTS, indent=2) + "\n```", "plan_unreadable"),
    "a preamble and an end": ("\n".join(["Sure:", "", *LINES, "---", "Done."]), [100, 200, 300]),
    "Chinese numerals": (
        "第一段 - 要点：河 - 三百字\n第十二段 - 要点：坝 - 一千二百字",
        [300, 1200],
    ),
    "ranges and about": ("1. Dams, 400 to 600 words\n2. Rivers (about 1k words)", [500, 1000]),
    "a total far from what was asked": ("Paragraph 1 - Main Point: x - Word Count: 9,000 words", [9000]),
    "fifty steps": ("\n".join(f"Step {n}: x, {n} words" for n in range(1, 51)), list(range(1, 51))),
    "fifty-one steps": ("\n".join(f"Step {n}: x, {n} words" for n in range(1, 52)), "plan_too_long"),
    "a step of 30,000 words": ("Paragraph 1 - Main Point: x - Word Count: 30000 words", [30000]),
    "placeholders in a line": ("Paragraph 1 - Main Point: $PLAN$ $TEXT$ - Word Count: 100 words", [100]),
    "Chinese for an English prompt": ("第1段 - 要点：河流 - 字数：约500字", [500]),
    "a language that is not read": ("Absatz 1 - Kernaussage: Flüsse - Wörter: 400", "plan_unreadable"),
}


@pytest.mark.parametrize(("plan", "outcome"), PLANS.values(), ids=PLANS.keys())
def test_a_plan_gives_steps_or_a_reason(tmp_path, plan, outcome):
    def answer(body, number):
        planning = "Your plan:" in body["messages"][-1]["content"]
        return Answer(plan if planning else f"Text {number}.")

    suite = tmp_path / "suite.jsonl"
    suite.write_text(json.dumps({"prompt": "Write of $PLAN$ and dams.", "length": 600, "language": "en"}))
    with OpenAIServer(answer) as server:
        given = {"model": "m", "suite": str(suite), "base_url": [server.base_url], "judge": "none"}
        summary = evaluate(**given, writer="agentwrite", out=tmp_path / "out", concurrency=1)
        asked = [request.prompt for request in server.requests]
    (folder,) = (tmp_path / "out").glob("*/*/*")
    record = json.loads((folder / "predictions.jsonl").read_text(encoding="utf-8"))
    if isinstance(outcome, str):
        assert summary.failures == {outcome: 1}
        assert (record["error"]["type"], record["calls"], len(asked)) == (outcome, 3, 3)
        return
    assert (record["steps"], record["planned_words"]) == (len(outcome), sum(outcome))
    assert len(asked) == record["calls"] == 1 + len(outcome)
    assert all("Write of $PLAN$ and dams." in chat and plan.strip() in chat for chat in asked[1:])
    steps = map(json.loads, (folder / "steps.jsonl").read_text(encoding="utf-8").splitlines())
    assert [step["planned_words"] for step in steps if step["role"] == "writer"] == outcome
