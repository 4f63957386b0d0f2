"""Runs the reference's own AgentWrite scripts against the simulated server, as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.agentwrite.server import SUITE
from longbench_write.metrics.length import count_words
from longbench_write.suites.suite import load_suite

_STAND_INS = """
import multiprocessing, sys
from unittest.mock import MagicMock
torch = MagicMock(multiprocessing=multiprocessing)
for name in ("torch", "torch.distributed", "transformers"):
    sys.modules[name] = torch
sys.modules["torch.multiprocessing"] = multiprocessing
import requests
there = requests.post
requests.post = lambda url, **more: there(sys.argv[1] + "/v1/chat/completions", **more)
path, sys.argv = sys.argv[2], sys.argv[2:3]
exec(compile(open(path).read(), path, "exec"), {"__name__": "__main__"})
"""
"""The scripts import torch and transformers, of which they use the processes alone, and know one address."""


def run_reference(folder: Path, url: str, work: Path) -> str:
    """Plan and write a suite with the reference's scripts, in their eight processes.

    Args:
        folder: Holds plan.py, write.py and prompts/.
        url: The server's, without /v1.
        work: Where the scripts find their input and leave their output.

    Returns:
        What came of it, as Markdown.
    """
    place = work / "reference"
    place.mkdir()
    (place / "prompts").symlink_to((folder / "prompts").resolve())
    prompts = load_suite(SUITE).prompts
    lines = [json.dumps({"prompt": prompt.prompt}, ensure_ascii=False) for prompt in prompts]
    (place / "instructions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    began = time.monotonic()
    for script in ("plan.py", "write.py"):
        words = [sys.executable, "-c", _STAND_INS, url, str((folder / script).resolve())]
        subprocess.run(
            words, cwd=place, check=True, capture_output=True, env=os.environ | {"WORLD_SIZE": "1"}
        )
    seconds = time.monotonic() - began
    written = [json.loads(line) for line in (place / "write.jsonl").read_text(encoding="utf-8").splitlines()]
    counts = {each["prompt"]: count_words("\n\n".join(each["write"])) for each in written}
    right = sum(counts.get(prompt.prompt) == prompt.length for prompt in prompts)
    return (
        f"Run as they are in the same session, at 0.05 s a request: {len(written)} of {len(prompts)} "
        f"responses, {right} of them with exactly the required words, in {seconds:.0f} s; they have eight "
        "requests in flight."
    )
