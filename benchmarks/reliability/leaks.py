"""What must not get out, or be written over: keys, passwords, commands to terminals and runners, formulas."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from crash_tests import COMMAND, Outcome, Trial, judge_outcome
from servers.answers import Answer, AnswerFunction, in_turn, varied_judge, varied_writer
from servers.openai_server import OpenAIServer

from benchmarks.reliability.experiments import at_tenth
from benchmarks.reliability.more import MARKUP
from benchmarks.reliability.rows import Experiment, Row, Whole

KEY = "sk-of-the-reliability-benchmark"
KEYED = ["--api-key-env", "LBW_RELIABILITY_KEY"]
PLACES = ("id", "model", "role", "finish_reason", "usage", "system_fingerprint")
"""Of a response, beside its text and its errors."""
PASSWORD = "hush-of-the-benchmark"
FORMULAS = ('=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(A1)", "x;=1+1", "x\t@SUM(A1)", "x\n-2+3")
OBEYED = ("\x1b[2J", "\x9b", "\u202e")
"""What a terminal must never get, of MARKUP."""


def everything(trial: Trial, *done: subprocess.CompletedProcess[str]) -> str:
    """Return all that commands have said, and all that they have left."""
    files = [path.read_text(errors="replace") for path in trial.out.rglob("*") if path.is_file()]
    return "\n".join([*files, *(text for each in done for text in (each.stdout, each.stderr))])


def safe(name: str, count: int, wrong: str) -> Row:
    """Return a row in which nothing but one thing can be wrong."""
    return Row(name, count, Outcome(0, 0, 0, 0, not wrong, wrong))


def echoed(place: Path, _: Whole) -> list[Row]:
    """A server repeats the key in each part of an answer that is no text."""

    def with_key(part: str) -> AnswerFunction:
        def answer(body: dict[str, Any], number: int) -> Answer:
            text = varied_writer()(body, number).text
            choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
            reply: dict[str, Any] = {"id": "c", "model": "m", "choices": [choice], "usage": {}}
            if part == "role":
                choice["message"] = {"role": KEY, "content": text}
            elif part == "finish_reason":
                choice["finish_reason"] = KEY
            else:
                reply[part] = {"prompt_tokens": KEY, KEY: 3} if part == "usage" else KEY
            return Answer(body=json.dumps(reply))

        return answer

    os.environ["LBW_RELIABILITY_KEY"] = KEY
    wrong, count = [], 0
    for part in PLACES:
        options = [*KEYED, "--max-failures", "3"]
        with Trial(place / part, written=with_key(part), lengths=(150, 900), options=options) as trial:
            told = everything(trial, trial.finish())
            count += len(trial.model.requests)
            if KEY in told:
                wrong.append(part)
    return [safe("a server that repeats the key in an id, a role, a usage, ...", count, ", ".join(wrong))]


def passwords(place: Path, _: Whole) -> list[Row]:
    """A password with odd characters stands in a base URL, and in errors of the server behind it."""
    wrong = []
    odd = (f"{PASSWORD}/x", f"{PASSWORD}#x", f"{PASSWORD}?x", PASSWORD, f"{PASSWORD}%2Fx")
    for number, password in enumerate(odd):
        error = {"message": f"no entry for bob:{password}", "code": None}
        refusal = Answer(status=401, error=error)
        with Trial(place / str(number), written=in_turn(refusal), lengths=(150,)) as trial:
            words = [
                word.replace("://", f"://bob:{password}@") if word == trial.model.base_url else word
                for word in trial.words
            ]
            done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=60, check=False)
            if PASSWORD in everything(trial, done) or done.returncode not in (1, 2):
                wrong.append(f"{password}: {done.returncode}")
    return [safe("a password in a base URL", len(odd), ", ".join(wrong))]


def redirects(place: Path, whole: Whole) -> list[Row]:
    """A redirect names a password, or would have the request repeated without its body: the run stops."""
    rows = []
    cases = {
        "a redirect whose Location has a password": (307, f"http://bob:{PASSWORD}@127.0.0.1:1/v1"),
        "a 302 that makes a GET of a POST": (302, "/v1/models"),
        "a 303 that makes a GET of a POST": (303, "/v1/models"),
    }
    for number, (name, (status, where)) in enumerate(cases.items()):
        moved = Answer(status=status, headers={"Location": where})
        with Trial(place / str(number), written=at_tenth(varied_writer(), moved)) as trial:
            first = trial.finish()
            done = trial.finish()
            outcome = judge_outcome(trial, whole.results, whole.requests, done=done, least=1)
            if PASSWORD in everything(trial, first, done) or first.returncode != 1:
                outcome.said = f"exit code {first.returncode}: {first.stderr[-200:]}"
            rows.append(Row(name, 1, outcome))
    return rows


def proxied(place: Path, whole: Whole) -> list[Row]:
    """Proxies are set for everything: none is asked for a server on this machine."""
    with OpenAIServer(varied_judge()) as proxy, Trial(place) as trial:
        address = proxy.base_url.removesuffix("/v1")
        names = [f"{kind}_proxy" for kind in ("http", "https", "all")]
        known = {name: value for name, value in os.environ.items() if name.casefold() != "no_proxy"}
        done = trial.finish(env=known | {form: address for name in names for form in (name, name.upper())})
        outcome = judge_outcome(trial, whole.results, whole.requests, done=done)
        if proxy.requests:
            outcome.said = f"the proxy was asked {len(proxy.requests)} times"
        return [Row("a proxy beside a server on 127.0.0.1", len(trial.requests), outcome)]


def planted_records(place: Path, whole: Whole) -> list[Row]:
    """Lock and files of records are links to a file elsewhere: refused; so is the lease: replaced."""
    names = {".lock": 2, ".lock.holder": 0, "predictions.jsonl": 1, "judgements.jsonl": 1}
    victim = place / "victim"
    with Trial(place) as trial:
        trial.finish()
        victim.write_text("mine")
        wrong = []
        for name, code in names.items():
            path, aside = trial.run / name, place / "aside"
            if there := path.exists():
                path.rename(aside)
            path.symlink_to(victim)
            ended = trial.finish()
            if ended.returncode != code or victim.read_text() != "mine":
                wrong.append(f"{name}: {ended.returncode} {ended.stderr[-200:]}")
            path.unlink(missing_ok=True)
            if there:
                aside.rename(path)
        outcome = judge_outcome(trial, whole.results, whole.requests, done=trial.finish())
        outcome.said = outcome.said or ", ".join(wrong)
        return [Row("links in the place of lock, lease and records", len(names), outcome)]


def on_a_terminal(*words: str) -> tuple[int, str]:
    """Return a command's exit code, and what it writes where stdout and stderr are a terminal."""
    mine, its = pty.openpty()
    with subprocess.Popen([*COMMAND, *words], stdin=its, stdout=its, stderr=its) as child:
        os.close(its)
        said = b""
        try:
            while received := os.read(mine, 65536):
                said += received
        except OSError:  # the terminal's other end is closed
            pass
        os.close(mine)
        child.wait(60)
    return child.returncode, said.decode(errors="replace")


def shown(place: Path, _: Whole) -> list[Row]:
    """A model's name and texts hold escapes, markup and commands; in whatever form, none is obeyed."""
    usual = varied_writer()

    def writes(body: dict[str, Any], number: int) -> Answer:
        return replace(usual(body, number), text=f"{MARKUP}\n::error::x\n{usual(body, number).text}")

    with Trial(place, written=writes, lengths=(150, 900)) as trial:
        words = [*trial.words]
        words[words.index("--model") + 1] = f"::error::m {MARKUP.replace('/', '')}"
        done = subprocess.run([*COMMAND, *words], capture_output=True, text=True, timeout=120, check=False)
        run = str(trial.run)
        commands: tuple[tuple[str, ...], ...] = (
            ("export", run, "--to", "csv"),
            ("export", run, "--to", "jsonl"),
            ("export", run, "--to", "model-card"),
            ("leaderboard", run),
            ("leaderboard", run, "--format", "csv"),
            ("leaderboard", run, "--format", "md"),
            ("score", run),
            ("compare", run, run),
        )
        wrong = [] if done.returncode == 0 else [done.stderr[-300:]]
        for command in commands:
            code, said = on_a_terminal(*command)
            if code or any(text in said for text in OBEYED):
                wrong.append(f"{' '.join((command[0], *command[2:]))} on a terminal")
        for command in [("check", run, "--baseline", run, "--github"), *commands[3:4], *commands[6:]]:
            found = subprocess.run(
                [*COMMAND, *command], capture_output=True, text=True, timeout=60, check=False
            )
            lines = (found.stdout + found.stderr).splitlines()
            if found.returncode or any(re.match(r"\s*(::error::|##\[)", line) for line in lines):
                wrong.append(f"{command[0]} in a CI job")
    name = "escapes, markup and commands in names and texts, shown"
    return [safe(name, len(commands) + 4, ", ".join(wrong))]


def formulas(place: Path, _: Whole) -> list[Row]:
    """Prompts, types and responses are formulas: in CSV, no cell begins as one, whatever the separator."""
    place.mkdir(parents=True)
    suite = place / "formulas.jsonl"
    lines = [
        {"prompt": f"{text} {number}", "type": FORMULAS[number % len(FORMULAS)], "length": 50}
        for number, text in enumerate(FORMULAS)
    ]
    suite.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")

    def writes(body: Mapping[str, Any], number: int) -> Answer:
        return Answer(FORMULAS[number % len(FORMULAS)])

    with Trial(place / "trial", written=writes, suite=suite) as trial:
        trial.finish()
        exported = subprocess.run(
            [*COMMAND, "export", str(trial.run), "--to", "csv"], capture_output=True, text=True, check=False
        )
        texts = [exported.stdout, (trial.run / "scores.csv").read_text(encoding="utf-8")]
    wrong = [
        cell
        for text in texts
        for separator in ",;\t"
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        for cell in row
        if cell[:1] in [*"=+-@"] and not re.fullmatch(r"-?[\d.]+(e-?\d+)?", cell)
    ]
    if exported.returncode or not texts[0]:
        wrong.append(exported.stderr[-200:])
    return [safe("texts that a spreadsheet would calculate", 3 * len(FORMULAS), ", ".join(wrong[:3]))]


def experiments() -> list[Experiment]:
    """List all of them."""
    return [echoed, passwords, redirects, proxied, planted_records, shown, formulas]
