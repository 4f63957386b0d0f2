"""Whole runs of tiny LongWriter models, and what they leave."""

from __future__ import annotations

import json
import subprocess
import sys

import yaml
from tiny_models import ranks, write_glm4

from longbench_write.backends.hashes import tokens_sha256

COMMAND = [sys.executable, "-c", "from longbench_write.cli.app import main; main()"]
WORDS = [
    "--suite",
    "lbw-open",
    "--limit",
    "4",
    "--max-tokens",
    "48",
    "--judge",
    "none",
    "--progress",
    "plain",
]
FIRST = len(ranks())
"""The id of the first special token."""


def run(tmp_path, *words):
    command = [*COMMAND, *words, "--out", str(tmp_path / "out")]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def plant_code(folder):
    """Add code to a model's folder, beside what its config names already; return the file that it makes."""
    ran = folder.parent / "ran"
    for name in ("configuration", "modeling", "tokenization"):
        with (folder / f"{name}_chatglm.py").open("a", encoding="utf-8") as file:
            file.write(f"\nopen({str(ran)!r}, 'w').close()\n")
    return ran


def predictions(tmp_path):
    (path,) = (tmp_path / "out").glob("*/*/*/predictions.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)  # a run that was killed leaves half a line
    return [json.loads(line) for line in lines if line.endswith(b"\n")]


def manifest(tmp_path):
    (path,) = (tmp_path / "out").glob("*/*/*/run.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def glm4_ids(prompt):
    """The ids of [gMASK]<sop><|user|>\\n{prompt}<|assistant|>, as tiktoken reads the vocabulary."""
    import tiktoken
    from transformers.convert_slow_tokenizer import TikTokenConverter

    encoding = tiktoken.Encoding(
        "tiny", pat_str=TikTokenConverter().pattern, mergeable_ranks=ranks(), special_tokens={}
    )
    text = encoding.encode(prompt, disallowed_special=())
    return [FIRST + 2, FIRST + 4, FIRST + 7, 10, *text, FIRST + 8]


def run_glm4(tmp_path, *words, repaired):
    """Run LongWriter-glm4-9b's layout to the end; its prompts are right, its code unread. Return run.yaml."""
    folder = write_glm4(tmp_path / "LongWriter-glm4-9b", repaired=repaired)
    ran = plant_code(folder)
    done = run(tmp_path, "--model", str(folder), *words)
    assert done.returncode == 0, done.stderr
    assert not ran.exists()
    records = predictions(tmp_path)
    assert len(records) == 4
    for record in records:
        assert record["error"] is None
        assert record["prompt_sha256"] == tokens_sha256(glm4_ids(record["prompt"]))
    about = manifest(tmp_path)
    assert about["stop"] == [FIRST, FIRST + 7, FIRST + 9]
    assert about["prompt_format"]["sample"] == "[gMASK]<sop><|user|>\n{prompt}<|assistant|>"
    return about
