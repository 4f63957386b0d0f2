"""Readers of untrusted text, fed with mutations of valid text, raise the exceptions of errors.py alone."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from crash_tests import Trial
from gate_samples import write_run, wrote_well
from other_harness_samples import TEXTS, answer, scores, text_suite, totals, write_lines, write_reference
from test_value_faults import ALL, LENGTHS, OPTIONS, Place
from value_faults import command

from longbench_write import evaluate, load_run, load_suite
from longbench_write.compare.baseline import baseline_text
from longbench_write.compare.collection import collect
from longbench_write.compare.loading import load_scores
from longbench_write.config import read_config
from longbench_write.errors import LbwError
from longbench_write.exchange.evalscope import read_evalscope
from longbench_write.exchange.reference import read_reference
from longbench_write.gate.config import read_gate
from longbench_write.judging.cards import load_card
from longbench_write.judging.reply import read_reply
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.runs.results import score_run
from longbench_write.runs.store import RunWriter
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_rows

REPLIES = 100_000
VALID = (
    '{"Analysis": "It reads well, says \\"5\\".", ' + ", ".join(f'"{name}": 4' for name in DIMENSIONS) + "}"
)
SEEDS = [
    VALID,
    f"My evaluation:\n{VALID}\nI hope that it helps.",
    f"```json\n{VALID}\n```",
    f"<think>Perhaps {VALID}.</think>\r\n{VALID}",
    f"{VALID}\n{VALID}",
    VALID.upper().replace(" ", "_"),
    "I'm sorry, I can't evaluate this text.",
    "抱歉，我无法评价这篇文章。",
    "Relevance: 5, Accuracy: 4, Coherence: 3",
]
BITES = [
    *("{", "}", "[", "]", '"', "'", ":", ",", "\\", "\n", "\r", "\0", "\x1b", "\ufeff", "\ud800", "\u202e"),
    *(
        "null",
        "true",
        "NaN",
        "-Infinity",
        "1e999",
        "-0",
        "5",
        "4.5",
        '"5"',
        "9" * 5000,
        "[" * 2000,
        "{" * 500,
    ),
    *(
        "<think>",
        "</think>",
        "```json",
        "```",
        "\\u0000",
        "\\ud800",
        "&a",
        "*a",
        "!!int ''",
        "2001-99-99",
        "=1",
    ),
    *("$RESPONSE$", "Relevance", "schema", "../..", "中", "é", "é" * 300),
]


def mutated(text: str, rng: random.Random) -> str:
    """The text after one to five changes: pieces cut out, doubled, moved, flipped, or others inserted."""
    for _ in range(rng.randint(1, 5)):
        one, other = sorted(rng.randint(0, len(text)) for _ in range(2))
        other = min(other, one + rng.choice((1, 3, 20, 10_000)))
        match rng.randrange(6):
            case 0:
                text = text[:one] + text[other:]
            case 1:
                text = text[:other] + text[one:]
            case 2:
                text = text[:one] + rng.choice(BITES) + text[other:]
            case 3:
                text = text[:one] + rng.choice(BITES) + text[one:]
            case 4:
                text = text[:one] + text[one:other][::-1] + text[other:]
            case 5:
                text = (
                    text[:one]
                    + "".join(chr(rng.choice((9, 48, 57, 123, 0x10FFFF, 128))) for _ in "ab")
                    + text[other:]
                )
    return text


@pytest.mark.slow
def test_replies_are_six_integers_or_a_reason():
    """100,000 replies: mutations of the valid and malformed ones, alone and two at a time."""
    rng = random.Random(8)
    scored = 0
    for _ in range(REPLIES):
        text = mutated(rng.choice(SEEDS) + (rng.choice(SEEDS) if rng.random() < 0.2 else ""), rng)
        reply = read_reply(text, response=rng.choice(("", "x", text, text[:40])))
        assert bool(reply.reason) == (reply.scores is None)
        assert isinstance(reply.analysis, str)
        if reply.scores is not None:
            scored += 1
            assert tuple(reply.scores) == DIMENSIONS
            assert all(type(value) is int and 1 <= value <= 5 for value in reply.scores.values())
    assert REPLIES // 50 < scored < REPLIES // 2


def survives(read: Callable[[], object]) -> bool:
    """Return whether it was read; it may raise an error of this package, of one line."""
    told = ""
    try:
        read()
    except LbwError as error:
        told = str(error)
    assert "\n" not in told
    return not told


def fuzzed(path: Path, read: Callable[[], object], *, times: int, seed: int) -> None:
    """Read a file again and again, changed each time; at least one change is refused."""
    rng, content = random.Random(seed), path.read_bytes()
    text = content.decode("utf-8")
    read_well = 0
    for _ in range(times):
        path.write_bytes(mutated(text, rng).encode("utf-8", rng.choice(("surrogatepass", "replace"))))
        read_well += survives(read)
    path.write_bytes(content)
    assert read_well < times
    read()


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A run folder that is done."""
    with Trial(tmp_path_factory.mktemp("fuzz"), lengths=(100, 900, 2500)) as trial:
        words = dict(zip(trial.words[::2], trial.words[1::2], strict=True))
        options = {name[2:].replace("-", "_"): value for name, value in words.items()}
        evaluate(**options | {name: [options[name]] for name in ("base_url", "judge_base_url")})
        return trial.run


def opened(folder: Path) -> None:
    """Open a run folder to resume it."""
    with RunWriter(folder, writing=True, judge="judge") as run:
        run.read_manifest()


def all_of(folder: Path) -> None:
    """Read every record of a run."""
    run = load_run(folder)
    for _ in [*run.predictions, *run.judgements]:
        pass


@pytest.mark.slow
@pytest.mark.parametrize("name", ["run.yaml", "predictions.jsonl", "judgements.jsonl"])
def test_run_folders(finished, tmp_path, name):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    fuzzed(folder / name, lambda: all_of(folder), times=1000, seed=1)
    fuzzed(folder / name, lambda: score_run(folder), times=300, seed=2)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["predictions.jsonl", "judgements.jsonl"])
def test_run_folders_that_are_gone_on_with(finished, tmp_path, name):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    fuzzed(folder / name, lambda: opened(folder), times=500, seed=3)


@pytest.mark.slow
def test_results(finished, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    fuzzed(folder / "summary.json", lambda: Summary.read(folder / "summary.json"), times=2000, seed=4)
    fuzzed(folder / "scores.csv", lambda: read_rows(folder / "scores.csv"), times=2000, seed=5)
    fuzzed(folder / "summary.json", lambda: collect([folder]).check_any(), times=1000, seed=6)


@pytest.mark.slow
def test_baselines(tmp_path):
    path = tmp_path / "main.json"
    path.write_text(baseline_text(load_scores(write_run(tmp_path / "run", wrote_well(6)))), encoding="utf-8")
    fuzzed(path, lambda: load_scores(path), times=2000, seed=7)


@pytest.mark.slow
def test_imports(tmp_path):
    answers = [answer(prompt, response) for prompt, response in TEXTS]
    judged = [line | {"scores": scores(5, 4, 3, 4, 5, 4)} for line in answers]
    folder = write_reference(tmp_path / "models" / "m", answers, judged)
    for path in sorted(folder.iterdir()):
        fuzzed(path, lambda: read_reference(folder), times=1000, seed=9)
    suite = text_suite(tmp_path)
    fuzzed(Path(suite), lambda: load_suite(suite), times=1000, seed=10)


@pytest.mark.slow
def test_evalscopes_files(tmp_path):
    folder = tmp_path / "outputs" / "m"
    line = answer(*TEXTS[0])
    write_lines(folder / "pred.jsonl", [line])
    write_lines(folder / "eval_length.jsonl", [{"score_l": 1.5, "scores": [1.5]}])
    write_lines(folder / "eval_quality.jsonl", [totals([line | {"scores": scores(5, 4, 3, 4, 5, 4)}])])
    for path in sorted(folder.iterdir()):
        fuzzed(path, lambda: read_evalscope(folder), times=500, seed=11)


@pytest.mark.slow
def test_yaml(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("model: m\nbase-url: [http://127.0.0.1:1/v1]\nmax-tokens: 64\njudge: none\n")
    fuzzed(config, lambda: read_config(config), times=2000, seed=12)
    fuzzed(config, lambda: read_gate(config), times=1000, seed=13)
    card = tmp_path / "judge.yaml"
    card.write_text("description: x\nmodel: j\ntries: 2\ntemplate: t.txt\nretires: 2026-10-23\n")
    fuzzed(card, lambda: load_card(str(tmp_path)), times=2000, seed=14)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("commands")
    with Trial(folder / "trial", lengths=LENGTHS, options=OPTIONS) as trial:
        yield Place(folder, trial)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_commands_on_mutated_files(place, name):
    """Each command ends with a code that it has ended with on the file itself, or names the file."""
    rng, path, commands = random.Random(15), place.file(name), place.commands(name)
    content = path.read_bytes()
    well = {words: command(*words).code for words in commands}
    place.restore()
    for number in range(60):
        words = commands[number % len(commands)]
        path.write_bytes(mutated(content.decode(), rng).encode("utf-8", "surrogatepass"))
        ended = command(*words)
        assert ended.raised is None, (words, ended.raised)
        assert ended.code == well[words] or path.name in ended.err, (words, ended)
        place.restore()
        path.write_bytes(content)


def test_a_seed_makes_the_same_mutations_and_they_differ():
    made = [[mutated("a text to be changed", random.Random(seed)) for seed in range(50)] for _ in range(2)]
    assert made[0] == made[1]
    assert len(set(made[0])) > 40
    assert sum(one != other for one, other in pairwise(made[0])) > 40
