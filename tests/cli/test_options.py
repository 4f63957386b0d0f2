import dataclasses
import subprocess
import sys

import pytest

from longbench_write.config import RunConfig

HEAVY = (
    "openai",
    "pandas",
    "numpy",
    "matplotlib",
    "pydantic",
    "rich",
    "httpx2",
    "yaml",
    "jinja2",
    "tenacity",
    "aiohttp",
    "regex",
)


def lbw_eval(*words):
    code = "import sys; from longbench_write.cli.app import main; sys.argv[0] = 'lbw-eval'; main()"
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, timeout=120)


def test_help_names_every_field_of_the_configuration():
    shown = lbw_eval("--help").stdout
    for field in dataclasses.fields(RunConfig):
        assert f"--{field.name.replace('_', '-')}" in shown
    assert "[0.5]" in shown
    assert "--no-stream" in shown


@pytest.mark.parametrize("word", ["--help", "--version"])
def test_the_start_imports_nothing_heavy(word):
    code = (
        "import atexit, sys; from longbench_write.cli.app import main; sys.argv = ['lbw-eval', sys.argv[1]];"
        f"atexit.register(lambda: print(sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)); main()"
    )
    done = subprocess.run([sys.executable, "-c", code, word], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0
    assert done.stderr.strip() == "[]"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--model", "m", "--suite", "longbench-wrte"], "longbench-write"),
        (["--model", "m", "--base-url", "http://127.0.0.1:1/v1", "--judge", "papr"], "paper"),
        (["--model", "m", "--limit", "0"], "--limit 0"),
        (["--model", "m", "--samples", "0"], "--samples 0"),
        (["--model", "m", "--backend", "opnai"], "did you mean 'openai'"),
        (["--modle", "m"], "--model"),
        (["--limit", "3"], "--model"),
        (["score", "nowhere"], "nowhere"),
        (["judge", "nowhere", "--judge", "paper"], "nowhere"),
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--model", "m", "--ids", "lbw-999999"], "lbw-999999"),
        (["--model", "local/nowhere.gguf", "--judge", "none"], "nowhere.gguf"),
        (["--model", "org/model"], "vllm serve"),
    ],
)
def test_wrong_usage_exits_with_2_and_one_sentence(words, says, tmp_path):
    done = lbw_eval(*words, *([] if words[0] in ("score", "judge") else ["--out", str(tmp_path)]))
    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    done = lbw_eval("--model", "m", "--base-url", "http://127.0.0.1:1/v1", "--out", str(tmp_path / "file"))
    assert done.returncode == 2
    assert "--out" in done.stderr


def test_a_run_reads_no_other_command_before_its_first_request():
    code = (
        "import sys; from longbench_write.cli import app, progress, session, table;"
        "from longbench_write.runs import evaluation; from longbench_write.backends.openai import backend;"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    read = set(done.stdout.split())
    assert {"longbench_write.cli.run", "longbench_write.runs.scheduler"} <= read
    assert not read & {f"longbench_write.cli.{name}" for name in ("judge", "check", "suites", "exchange")}
    assert not read & {"pandas", "matplotlib", "jinja2", "rich", "openai"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["check", "--help"], "--baseline"),
        (["import", "--help"], "--from"),
        (["suites", "check", "--help"], "suites check"),
        (["assets", "--help"], "verify"),
    ],
)
def test_a_command_is_read_when_it_is_asked_for(words, says):
    done = lbw_eval(*words)
    assert done.returncode == 0
    assert f"Usage: lbw-eval {' '.join(words[:-1])}" in done.stdout
    assert says in done.stdout


def test_a_mistyped_command_is_refused_with_the_one_that_is_meant():
    done = lbw_eval("leaderbord")
    assert done.returncode == 2
    assert "'leaderboard'" in done.stderr
