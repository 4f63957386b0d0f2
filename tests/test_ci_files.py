"""The files under ci/ are valid, and walked as runners do, every verdict is about tonight's responses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from ci_runners import CI, GITHUB, GITLAB, Ended, Github, Gitlab, environment
from samples import LENGTHS, write_suite
from servers.openai_server import Answer, OpenAIServer, judge_reply, writer

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
    scripts = [step["run"] for job in GITHUB["jobs"].values() for step in job["steps"] if "run" in step]
    assert len(scripts) == 7
    assert not any("${{" in script for script in scripts)


def test_both_jobs_name_what_is_kept_alike():
    names = [
        next(step["run"] for step in job["steps"] if step.get("id") == "names")
        for job in GITHUB["jobs"].values()
    ]
    first, second = (script[script.index("hash=$(") : script.index("cut -c")] for script in names)
    assert first == second


def test_both_gitlab_jobs_have_the_same_nights_of_a_name_of_their_own():
    keys = [cache["key"] for job in GITLAB.values() for cache in job["cache"] if "nights" in cache["key"]]
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert "$NIGHTS_NAME" in keys[0]
    assert all(job["variables"]["NIGHTS_NAME"] == "1" for job in GITLAB.values())


@pytest.fixture
def workplace(tmp_path):
    """A checkout with two suites and a judge of its own, and the command on the path."""
    place = tmp_path / "work"
    (place / "judge").mkdir(parents=True)
    write_suite(place, LENGTHS[:6]).rename(place / "hills.jsonl")
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


def on(night: str, share: float = 1.0):
    """Answers of one night, a share of what was asked for: each begins with the night's name."""
    write = writer(lambda prompt: int(share * as_asked(prompt)))
    return lambda body, number: replace(answer := write(body, number), text=f"{night} {answer.text}")


def breaking_off(answer, after: int):
    """The same for so many requests, and then a key that is refused, which stops the run."""
    refused = Answer(status=401, error={"message": "no such key"})
    return lambda body, number: refused if number >= after else answer(body, number)


@pytest.fixture
def servers():
    """Starts servers that all end with the test."""
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(OpenAIServer(answer))


@pytest.fixture
def make_baseline(workplace, servers):
    """Makes the baseline of a suite from a run in which every text is as long as was asked."""

    def make(suite: str = "rivers.jsonl", judge: str = "none") -> str:
        model, judging = servers(on("before")), servers(judge_reply())
        words = ["--model", "m", "--base-url", model.base_url, "--suite", suite, "--out", f"before-{suite}"]
        words += ["--judge", judge, "--judge-base-url", judging.base_url]
        for each in (words, ["baseline", f"before-{suite}", "-o", f"{suite}.json"]):
            command = str(workplace.parent / "bin" / "lbw-eval")
            subprocess.run([command, *each], cwd=workplace, env=environment(workplace), check=True)
        return f"{suite}.json"

    return make


class Walk:
    """Both kinds of runner, called in one way."""

    def __init__(self, kind: str, workplace: Path, *, keeps_disk: bool) -> None:
        self.runner = (Github if kind == "github" else Gitlab)(workplace, keeps_disk)
        self.workplace = workplace

    def job(self, pipeline: int, server: OpenAIServer, *, attempt: int = 1, index: int = 1, **more) -> Ended:
        """Run the job of a matrix, in a pipeline's attempt."""
        inputs = {"model": "m", "suite": "rivers.jsonl", "judge": "none", "baseline": "rivers.jsonl.json"}
        inputs |= {"base_url": server.base_url, **more}
        if isinstance(self.runner, Github):
            named = {name.replace("_", "-"): value for name, value in inputs.items()}
            return self.runner.job(pipeline, attempt, named)
        return self.runner.job(pipeline, {name.upper(): value for name, value in inputs.items()}, index)

    def move_baseline(self, pipeline: int, server: OpenAIServer, *, index: int = 1, **more) -> Ended:
        """Run the job that moves the baseline."""
        inputs = {"model": "m", "suite": "rivers.jsonl", "judge": "none", "baseline": "rivers.jsonl.json"}
        inputs |= {"base_url": server.base_url, **more}
        if isinstance(self.runner, Github):
            named = {name.replace("_", "-"): value for name, value in inputs.items()}
            return self.runner.job(pipeline, 1, named | {"update-baseline": "true"})
        named = {name.upper(): value for name, value in inputs.items()}
        return self.runner.job(pipeline, named, index, "long-form-writing-baseline")

    def texts(self) -> list[str]:
        """The responses that the verdict is about."""
        (records,) = (self.workplace / ".lbw" / "results").rglob("predictions.jsonl")
        return [json.loads(line)["response"] for line in records.read_text(encoding="utf-8").splitlines()]

    def all_of(self, night: str) -> bool:
        """Whether all of them were made on this night."""
        texts = self.texts()
        return len(texts) > 0 and all(text.startswith(night) for text in texts)

    def junit(self) -> ElementTree.Element:
        """The test suite of gate.xml."""
        return ElementTree.parse(self.workplace / ".lbw" / "reports" / "gate.xml").find("testsuite")


@pytest.fixture(params=["github", "gitlab"])
def kind(request):
    return request.param


@pytest.mark.slow
def test_a_night_is_never_judged_by_the_one_before_on_a_runner_that_keeps_its_disk(
    workplace, servers, make_baseline, kind
):
    baseline, judge = make_baseline(judge="judge"), servers(judge_reply())
    walk = Walk(kind, workplace, keeps_disk=True)
    judged = {"baseline": baseline, "judge": "judge", "judge_base_url": judge.base_url}
    first = servers(on("one"))
    args = {
        "eval_args": '--system "Answer in full." --concurrency 2',
        "check_args": "--max-drop 'S_l=2' --markdown 'the gate.md'",
    }
    passed = walk.job(1, first, **judged, **args)
    assert passed.code == 0, passed.log
    assert walk.all_of("one")
    assert "S_l" in (workplace / "the gate.md").read_text(encoding="utf-8")
    assert {request.body["messages"][0]["content"] for request in first.requests} == {"Answer in full."}
    fell = walk.job(2, servers(on("two", 0.3)), **judged)
    assert fell.code == 3, fell.log
    assert walk.all_of("two")
    assert walk.junit().get("failures") != "0"
    assert (workplace / ".lbw" / "reports" / "report.html").exists()
    again = walk.job(3, servers(on("three")), **judged, eval_args="--fresh")
    assert again.code == 0, again.log
    assert walk.all_of("three")


ONE = {"eval_args": "--concurrency 1"}


class Model:
    """A server that is asked in one pipeline after the other, or in one attempt after the other.

    Attributes:
        answer: How it answers at the time.
    """

    def __init__(self, servers) -> None:
        self.answer = on("nobody")
        self.server = servers(lambda body, number: self.answer(body, number - self._before))
        self._before = 0

    def next(self, answer) -> OpenAIServer:
        """Answer otherwise from now on, whose requests are counted from 0."""
        self._before = len(self.server.requests)
        self.answer = answer
        return self.server

    @property
    def asked(self) -> int:
        """The requests since then."""
        return len(self.server.requests) - self._before


@pytest.fixture
def model(servers):
    return Model(servers)


@pytest.mark.slow
def test_an_aborted_job_resumes_and_a_finished_one_begins_anew(workplace, model, make_baseline, kind):
    make_baseline()
    walk = Walk(kind, workplace, keeps_disk=False)
    aborted = walk.job(1, model.next(breaking_off(on("one"), 3)), **ONE)
    assert aborted.code not in (0, 3), aborted.log
    resumed = walk.job(1, model.next(on("two")), attempt=2, **ONE)
    assert resumed.code == 0, resumed.log
    assert model.asked == len(LENGTHS) - 3
    assert sorted(text.split()[0] for text in walk.texts()) == ["one"] * 3 + ["two"] * 5
    rerun = walk.job(1, model.next(on("three", 0.3)), attempt=3, **ONE)
    assert rerun.code == 3, rerun.log
    assert walk.all_of("three")


@pytest.mark.slow
def test_a_rerun_with_fresh_resumes_nothing(workplace, model, make_baseline, kind):
    make_baseline()
    walk = Walk(kind, workplace, keeps_disk=True)
    fresh = {"eval_args": "--fresh --concurrency 1"}
    aborted = walk.job(1, model.next(breaking_off(on("one"), 3)), **fresh)
    assert aborted.code not in (0, 3), aborted.log
    done = walk.job(1, model.next(on("two")), attempt=2, **fresh)
    assert done.code == 0, done.log
    assert walk.all_of("two")


@pytest.mark.slow
def test_responses_that_an_old_attempt_left_cannot_be_told(workplace, model, make_baseline, kind):
    make_baseline()
    walk = Walk(kind, workplace, keeps_disk=False)
    assert walk.job(1, model.next(breaking_off(on("one"), 3)), **ONE).code
    for cache in walk.runner.caches.values():
        for records in cache.rglob("predictions.jsonl"):
            text = records.read_text(encoding="utf-8")
            records.write_text(re.sub(r'("made": ")\d{4}', r"\g<1>2001", text), encoding="utf-8")
    late = walk.job(1, model.next(on("two")), attempt=2, **ONE)
    assert late.code == 1, late.log
    assert "--max-age" in late.log


@pytest.mark.slow
def test_a_matrix_of_models_and_suites_mixes_nothing(workplace, model, make_baseline, kind):
    """One name begins with the other; one job of each suite is aborted, and its cache is there for all."""
    walk = Walk(kind, workplace, keeps_disk=False)
    matrix = [(name, suite) for suite in ("rivers.jsonl", "hills.jsonl") for name in ("org/m", "org/m-2")]
    baselines = {suite: make_baseline(suite) for suite in ("rivers.jsonl", "hills.jsonl")}
    classes, artifacts = set(), []
    places = [
        {"model": name, "suite": suite, "baseline": baselines[suite], "index": index, **ONE}
        for index, (name, suite) in enumerate(matrix, start=1)
    ]
    for place in places[::2]:
        assert walk.job(1, model.next(breaking_off(on("aborted"), 2)), **place).code not in (0, 3)
    for place in places:
        night, share, code = ("poor", 0.3, 3) if place["model"] == "org/m" else ("good", 1.0, 0)
        done = walk.job(1, model.next(on(night, share)), attempt=2, **place)
        assert done.code == code, done.log
        assert {text.split()[0] for text in walk.texts()} <= {night} | ({"aborted"} if code else set())
        classes |= {case.get("classname") for case in walk.junit().iter("testcase")}
        artifacts.append(done.artifact)
    assert len(classes) == 4
    assert kind == "gitlab" or len(set(artifacts)) == 4
    assert not any(re.search(r'[":<>|*?\\/]', name) for name in artifacts)


@pytest.mark.slow
def test_nights_that_passed_are_kept_and_the_baseline_is_moved_to_them(workplace, model, make_baseline, kind):
    file = workplace / make_baseline()
    before = json.loads(file.read_text())
    walk = Walk(kind, workplace, keeps_disk=False)
    kept = {"keep_nights": "2", **ONE}
    for pipeline, (share, code) in enumerate([(1.0, 0), (0.3, 3), (0.99, 0), (0.98, 0)], start=1):
        done = walk.job(pipeline, model.next(on(f"night-{pipeline}", share)), **kept)
        assert done.code == code, done.log
    (history,) = (workplace / ".lbw").rglob("history.jsonl")
    codes = [json.loads(line)["exit_code"] for line in history.read_text().splitlines()]
    assert codes == [0, 3, 0, 0]
    assert (workplace / ".lbw" / "reports" / "history.svg").exists()
    server = model.next(on("nobody"))
    moved = walk.move_baseline(5, server, **kept)
    assert moved.code == 0, moved.log
    assert model.asked == 0
    after = json.loads(file.read_text())
    assert (after["runs"], after["parent"]) == (2, before["digest"])
    other = walk.move_baseline(6, server, **kept | {"model": "another"})
    assert other.code == 2, other.log
    assert json.loads(file.read_text()) == after
