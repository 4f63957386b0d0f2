"""The files under ci/: valid by their schemas, and their steps run as scripts up to the gate's exit code."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from samples import LENGTHS, write_suite
from servers.openai_server import OpenAIServer, judge_reply, writer

CI = Path(__file__).parent.parent / "ci"
GITHUB = yaml.safe_load((CI / "github-workflow.yml").read_text())
GITLAB = yaml.safe_load((CI / "gitlab-ci.yml").read_text())["long-form-writing"]
TEMPLATE = "Judge this.\n$INST$\n$RESPONSE$\n"


@pytest.mark.parametrize(
    ("file", "schema"), [("github-workflow.yml", "github-workflows"), ("gitlab-ci.yml", "gitlab-ci")]
)
def test_the_schema_accepts_it(file, schema):
    command = [
        *(sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(CI / file))
    ]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_no_input_is_pasted_into_a_script():
    """Input reaches a shell through variables alone."""
    scripts = [step["run"] for step in GITHUB["jobs"]["gate"]["steps"] if "run" in step]
    assert len(scripts) == 3
    assert not any("${{" in script for script in scripts)


@pytest.fixture
def workplace(tmp_path):
    """A checkout with a suite and a judge of its own, and the command on the path."""
    place = tmp_path / "work"
    (place / "judge").mkdir(parents=True)
    write_suite(place)
    (place / "judge" / "judge.yaml").write_text(
        yaml.safe_dump({"description": "For tests.", "model": "judge-model", "template": "template.txt"})
    )
    (place / "judge" / "template.txt").write_text(TEMPLATE)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "lbw-eval"
    command.write_text(f"#!{sys.executable}\nfrom longbench_write.cli.app import main\nmain()\n")
    command.chmod(0o755)
    return place


def as_asked(prompt: str) -> int:
    """The length that the suite requires of this prompt, which holds its place in the suite."""
    return LENGTHS[int(re.search(r"\d+", prompt)[0])]


def environment(workplace: Path, **more: str) -> dict[str, str]:
    package = str(Path(__file__).parent.parent)
    path = f"{workplace.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": package} | more


def lbw_eval(workplace: Path, *words: str) -> None:
    command = str(workplace.parent / "bin" / "lbw-eval")
    subprocess.run([command, *words], cwd=workplace, env=environment(workplace), check=True, timeout=120)


class Github:
    """A runner of the job: expressions resolved, `run` steps executed one after another."""

    def __init__(self, workplace: Path, **inputs: str) -> None:
        self._workplace = workplace
        trigger = GITHUB[True]["workflow_call"]
        defaults = {name: str(value.get("default", "")) for name, value in trigger["inputs"].items()}
        self._values = {f"inputs.{name}": value for name, value in (defaults | inputs).items()}
        self._values |= {f"secrets.{name}": "" for name in trigger["secrets"]}
        self._values |= {"github.workspace": str(workplace), "github.run_id": "1", "github.run_attempt": "1"}
        self._summary = workplace.parent / "summary.md"

    def _resolved(self, values: dict[str, str]) -> dict[str, str]:
        expression = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
        return {
            name: expression.sub(lambda match: self._values[match[1]], str(value))
            for name, value in values.items()
        }

    def run(self, step_name: str) -> subprocess.CompletedProcess[str]:
        job = GITHUB["jobs"]["gate"]
        (step,) = (step for step in job["steps"] if step.get("name") == step_name)
        variables = self._resolved(job["env"] | step.get("env", {}))
        variables |= {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(self._summary)}
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
            cwd=self._workplace,
            env=environment(self._workplace, **variables),
            capture_output=True,
            text=True,
            timeout=120,
        )

    @property
    def summary(self) -> str:
        return self._summary.read_text()


@pytest.fixture
def servers():
    """Starts servers that all end with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(OpenAIServer(answer))


@pytest.fixture
def baseline(workplace, servers):
    """A baseline in the checkout, made from a run in which every text is as long as was asked."""
    model, judge = servers(writer(as_asked)), servers(judge_reply())
    lbw_eval(
        workplace,
        *("--model", "m", "--base-url", model.base_url, "--suite", "rivers.jsonl", "--out", "before"),
        *("--judge", "judge", "--judge-base-url", judge.base_url),
    )
    lbw_eval(workplace, "baseline", "before", "-o", "baseline.json")
    return "baseline.json"


def job(workplace, baseline, model, judge):
    return Github(
        workplace,
        model="m",
        suite="rivers.jsonl",
        judge="judge",
        baseline=baseline,
        **{"base-url": model.base_url, "judge-base-url": judge.base_url},
    )


@pytest.mark.slow
def test_the_github_steps_pass_a_model_that_is_as_good(workplace, baseline, servers):
    github = job(workplace, baseline, servers(writer(as_asked)), servers(judge_reply()))
    written = github.run("Write and judge")
    assert written.returncode == 0, written.stderr
    gate = github.run("Gate")
    assert gate.returncode == 0, gate.stdout + gate.stderr
    assert (workplace / ".lbw" / "reports" / "gate.xml").exists()
    assert (workplace / ".lbw" / "reports" / "report.html").exists()
    assert "S_l" in github.summary


@pytest.mark.slow
def test_the_github_steps_fail_a_model_that_got_worse(workplace, baseline, servers):
    github = job(workplace, baseline, servers(writer(20)), servers(judge_reply((1, 1, 1, 1, 1, 1))))
    assert github.run("Write and judge").returncode == 0
    gate = github.run("Gate")
    assert gate.returncode == 3, gate.stdout + gate.stderr
    assert "::error" in gate.stdout + gate.stderr


@pytest.mark.slow
def test_a_second_attempt_asks_for_nothing_again(workplace, baseline, servers):
    model, judge = servers(writer(as_asked)), servers(judge_reply())
    github = job(workplace, baseline, model, judge)
    assert github.run("Write and judge").returncode == 0
    asked = len(model.requests), len(judge.requests)
    assert github.run("Write and judge").returncode == 0
    assert (len(model.requests), len(judge.requests)) == asked


@pytest.mark.slow
@pytest.mark.parametrize(("words", "exit_code"), [(as_asked, 0), (20, 3)])
def test_the_gitlab_script_ends_as_the_gate_says(workplace, baseline, servers, words, exit_code):
    model, judge = servers(writer(words)), servers(judge_reply())
    variables = {name: str(value) for name, value in GITLAB["variables"].items()} | {
        "MODEL": "m",
        "BASE_URL": model.base_url,
        "SUITE": "rivers.jsonl",
        "JUDGE": "judge",
        "JUDGE_BASE_URL": judge.base_url,
        "BASELINE": baseline,
    }
    variables = {name: value.replace("$CI_PROJECT_DIR", str(workplace)) for name, value in variables.items()}
    script = "set -eo pipefail\n" + "\n".join(GITLAB["script"])
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=workplace,
        env=environment(workplace, **variables),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == exit_code, done.stdout + done.stderr
