"""What the page shows of how a response was made."""

import json

import pytest
from servers.planning_server import WORDS, WRITTEN, PlanningServer, plan_of

from longbench_write import evaluate
from longbench_write.reports.steps import made_of, read_steps
from longbench_write.runs.store import load_run


@pytest.mark.parametrize(
    ("writer", "names", "written"),
    [
        ("agentwrite", ["write-1", "write-2", "write-3"], WRITTEN),
        ("agentwrite-review", ["write-1", "review-2", "write-3"], (30, 60, 90)),
    ],
)
def test_each_step_stands_where_its_text_begins(tmp_path, writer, names, written):
    suite = tmp_path / "suite.jsonl"
    line = {"prompt": "Write about dams 𝄞 with $PLAN$ and $STEP$ in it.", "length": 200, "language": "en"}
    suite.write_text(json.dumps(line) + "\n")
    with PlanningServer() as server:
        evaluate(
            model="m",
            suite=str(suite),
            base_url=[server.base_url],
            judge="none",
            writer=writer,
            out=tmp_path / "out",
        )
    (folder,) = (tmp_path / "out").glob("*/*/*")
    (prediction,) = load_run(folder).predictions
    made = made_of(prediction, read_steps(folder)[prediction.key])
    assert made["plan"] == plan_of("dams")
    assert [step["step"] for step in made["steps"]] == names
    assert [(step["planned"], step["written"]) for step in made["steps"]] == list(
        zip(WORDS, written, strict=True)
    )
    units = prediction.response.encode("utf-16-le")
    begun = [units[2 * step["start"] :].decode("utf-16-le") for step in made["steps"]]
    assert begun[0] == prediction.response
    assert [text.split()[0].partition("-")[0] for text in begun] == ["dams"] * 3


def test_a_response_of_one_request_has_no_steps(tmp_path):
    assert read_steps(tmp_path) == {}
