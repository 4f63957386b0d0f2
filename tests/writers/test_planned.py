"""AgentWrite against a server whose plans and paragraphs are known."""

import hashlib
import json
from dataclasses import replace

import pytest
from servers.planning_server import WORDS, WRITTEN, PlanningServer, paragraph, plan_of

from longbench_write import evaluate, length_score
from longbench_write.assets.catalogue import ASSETS
from longbench_write.errors import AssetError, UsageError
from longbench_write.writers.cards import shipped_folders

NAMES = ("dams", "rivers")
SECTIONS = len(WORDS)


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "suite.jsonl"
    lines = [
        {
            "prompt": f"Write about {name} with $PLAN$ and $STEP$ in it.",
            "id": name,
            "length": 200,
            "language": "en",
        }
        for name in NAMES
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def run(tmp_path, suite, server, **more):
    given = {
        "model": "m",
        "suite": str(suite),
        "base_url": [server.base_url],
        "judge": "none",
        "concurrency": 4,
    }
    return evaluate(**given | {"out": tmp_path / "out", "writer": "agentwrite"} | more)


def lines(tmp_path, name):
    (path,) = (tmp_path / "out").glob(f"*/*/*/{name}")
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("parallel", [False, True])
def test_each_request_has_what_it_needs_and_the_score_is_that_of_the_whole_text(tmp_path, suite, parallel):
    writer = "agentwrite-parallel" if parallel else "agentwrite"
    with PlanningServer(parallel=parallel) as server:
        summary = run(tmp_path, suite, server, writer=writer)
        assert len(server.requests) == len(NAMES) * (1 + SECTIONS)
    assert server.faults == []
    predictions = lines(tmp_path, "predictions.jsonl")
    assert [each["response"] for each in predictions] == [
        "\n\n".join(paragraph(name, number) for number in range(1, SECTIONS + 1)) for name in NAMES
    ]
    assert [(each["calls"], each["steps"], each["planned_words"]) for each in predictions] == [
        (1 + SECTIONS, SECTIONS, sum(WORDS))
    ] * len(NAMES)
    assert summary.S_l == pytest.approx(length_score(200, sum(WRITTEN)))
    assert summary.writer == writer
    assert summary.writer_config["order"] == ("parallel" if parallel else "serial")
    assert summary.steps == {
        "number": len(NAMES) * SECTIONS,
        "required": len(NAMES) * 200,
        "planned": len(NAMES) * sum(WORDS),
        "written": len(NAMES) * sum(WRITTEN),
    }
    steps = lines(tmp_path, "steps.jsonl")
    assert {(step["step"], step["planned_words"]) for step in steps} == {
        ("plan", None),
        *((f"write-{number}", words) for number, words in enumerate(WORDS, 1)),
    }
    written = next(step for step in steps if step["step"] == "write-1" and step["id"] == "dams")
    assert written["text"] == paragraph("dams", 1)
    assert written["raw"].startswith("**Paragraph 1**")


def test_a_plan_is_sampled_as_the_paper_does_and_its_text_as_the_run_is(tmp_path, suite):
    with PlanningServer() as server:
        run(tmp_path, suite, server, temperature=0.25, max_tokens=5000)
    asked = {(r.body["temperature"], r.body.get("max_tokens")) for r in server.requests}
    assert asked == {(1.0, 4096), (0.25, 5000)}


def test_an_unreadable_plan_is_asked_for_three_times_each_with_a_seed_of_its_own(tmp_path, suite):
    with PlanningServer(plans=("I cannot.", "{}", None)) as server:
        assert run(tmp_path, suite, server).failures == {}
    plans = [request.body["seed"] for request in server.requests if "Your plan:" in request.prompt]
    assert len(set(plans)) == len(plans) == 3 * len(NAMES)


@pytest.mark.parametrize(
    ("plan", "kind"),
    [
        ("I cannot.", "plan_unreadable"),
        (
            "\n".join(f"Paragraph {n} - Main Point: x - Word Count: 9 words" for n in range(1, 52)),
            "plan_too_long",
        ),
    ],
)
def test_without_a_plan_no_step_is_asked_and_a_retry_asks_for_plans_again(tmp_path, suite, plan, kind):
    with PlanningServer(plans=(plan,) * 3 + (None,)) as server:
        assert run(tmp_path, suite, server).failures == {kind: len(NAMES)}
        assert len(server.requests) == 3 * len(NAMES)
        assert [each["error"]["type"] for each in lines(tmp_path, "predictions.jsonl")] == [kind] * 2
        assert run(tmp_path, suite, server, retry_failed=True).failures == {}
        assert len(server.requests) == len(NAMES) * (3 + 1 + SECTIONS)
        seeds = {request.body["seed"] for request in server.requests}
        assert len(seeds) == len(server.requests)


def test_a_review_asks_once_more_for_what_is_off_its_plan_and_takes_what_is_nearer(tmp_path, suite):
    with PlanningServer() as server:
        server._parallel = None  # the reviewed text stands before the third paragraph: not checked here
        summary = run(tmp_path, suite, server, writer="agentwrite-review")
        reviews = [request.prompt for request in server.requests if "again with about 60" in request.prompt]
    assert len(reviews) == len(NAMES)
    assert all("30 words long where 60 are planned" in review for review in reviews)
    prediction = lines(tmp_path, "predictions.jsonl")[0]
    assert prediction["response"].split("\n\n")[1].startswith("dams again")
    assert (prediction["calls"], prediction["steps"], prediction["planned_words"]) == (
        2 + SECTIONS,
        SECTIONS,
        180,
    )
    assert summary.S_l == pytest.approx(length_score(200, 30 + 60 + 90))


def test_a_plan_of_the_suite_or_of_equal_sections_needs_no_planner(tmp_path, suite):
    rows = [json.loads(line) for line in suite.read_text().splitlines()]
    suite.write_text("".join(json.dumps(row | {"plan": plan_of(row["id"])}) + "\n" for row in rows))
    with PlanningServer() as server:
        assert run(tmp_path, suite, server, planner="suite").failures == {}
        assert len(server.requests) == len(NAMES) * SECTIONS
    assert server.faults == []
    with pytest.raises(UsageError):
        run(tmp_path, suite, server, writer="direct", planner="even")


@pytest.mark.parametrize(
    ("words", "kept"), [(0, [[], [1], [2]]), (31, [[], [1], [1, 2]]), (None, [[], [1], [1, 2]])]
)
def test_what_a_step_was_not_shown_is_said_in_its_record(tmp_path, suite, words, kept):
    folder = tmp_path / "mine"
    folder.mkdir()
    said = "" if words is None else f"context_words: {words}\n"
    shipped = shipped_folders()["agentwrite"]
    (folder / "writer.yaml").write_text(f"description: Mine.\nmethod: plan\ntemplates: {shipped}\n{said}")
    with PlanningServer() as server:
        server._parallel = None  # which texts a request has is checked here
        assert run(tmp_path, suite, server, writer=str(folder)).failures == {}
        asked = [r.prompt for r in server.requests if "Your plan:" not in r.prompt and "dams" in r.prompt]
    assert [[n for n in (1, 2, 3) if paragraph("dams", n) in chat] for chat in asked] == kept
    assert all(plan_of("dams") in chat for chat in asked)
    steps = [step for step in lines(tmp_path, "steps.jsonl") if step["id"] == "dams"]
    left_out = [step.get("left_out") for step in steps if step["role"] == "writer"]
    every = [[f"write-{n}" for n in range(1, number)] for number in (1, 2, 3)]
    shown = [[f"write-{n}" for n in here] for here in kept]
    assert left_out == [
        [name for name in all_ if name not in here] or None for all_, here in zip(every, shown, strict=True)
    ]
    assert all("left_out" not in step for step in steps if step["step"] in ("plan", "write-1"))


def test_the_official_templates_are_filled_in_one_pass_for_both_languages(tmp_path, suite, monkeypatch):
    # Stand-ins with the hashes of their own in place of the official ones, which are never committed.
    handed = tmp_path / "assets"
    handed.mkdir()
    texts = {
        "plan": "Your plan: $INST$",
        "write": "[$INST$]\n[$PLAN$]\n----\n$TEXT$\n----\n$STEP$\n\nKeep to it",
    }
    for name, text in texts.items():
        asset = ASSETS[f"agentwrite-{name}"]
        (handed / asset.filename).write_text(text)
        stand_in = replace(asset, sha256=hashlib.sha256(text.encode()).hexdigest())
        monkeypatch.setitem(ASSETS, asset.name, stand_in)
    monkeypatch.setenv("LBW_ASSETS", str(handed))
    rows = [json.loads(line) for line in suite.read_text().splitlines()]
    suite.write_text(
        "".join(
            json.dumps(row | {"language": language}) + "\n"
            for row, language in zip(rows, ("en", "zh"), strict=True)
        )
    )
    with PlanningServer() as server:
        summary = run(tmp_path, suite, server, writer="agentwrite-official")
        assert {(r.body["temperature"], r.body["max_tokens"]) for r in server.requests} == {(1.0, 4096)}
    assert server.faults == []
    assert (summary.failures, len(server.requests)) == ({}, len(NAMES) * (1 + SECTIONS))


def test_without_the_official_templates_nothing_is_asked(tmp_path, suite, monkeypatch):
    monkeypatch.setenv("LBW_ASSETS", str(tmp_path))
    monkeypatch.setenv("LBW_CACHE", str(tmp_path / "cache"))
    with PlanningServer() as server:
        with pytest.raises(AssetError, match="LBW_ASSETS"):
            run(tmp_path, suite, server, writer="agentwrite-official")
        assert server.requests == []


def test_another_model_plans_within_the_same_concurrency_and_has_prices_of_its_own(tmp_path, suite):
    price = {"input": 1.0, "output": 1.0, "planner_input": 10.0, "planner_output": 10.0}
    with PlanningServer() as planner, PlanningServer() as server:
        summary = run(
            tmp_path,
            suite,
            server,
            planner_model="big",
            planner_base_url=[planner.base_url],
            price=price,
            gen={"top_p": 0.5},
        )
        assert [request.body["model"] for request in planner.requests] == ["big"] * len(NAMES)
        assert all("top_p" not in request.body for request in planner.requests)
        assert all(request.body["top_p"] == 0.5 for request in server.requests)
        assert len(server.requests) == len(NAMES) * SECTIONS
    assert summary.failures == {}
    assert summary.cost["planner"] == pytest.approx(len(NAMES) * 10 * 15 / 1e6)
    assert summary.cost["model"] == pytest.approx(len(NAMES) * SECTIONS * 15 / 1e6)


@pytest.mark.parametrize(
    "more",
    [
        {"planner_base_url": ["http://127.0.0.1:9/v1"]},
        {"planner_model": "big", "planner": "even"},
        {"planner_model": "big", "writer": "direct"},
        {"planner_model": "big", "writer": "null"},
    ],
)
def test_a_planner_that_would_not_be_asked_is_refused(tmp_path, suite, more):
    with PlanningServer() as server:
        with pytest.raises(UsageError):
            run(tmp_path, suite, server, **more)
        assert server.requests == []
