"""Runs the reference's own AgentWrite scripts against the simulated server, as they are."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.agentwrite.texts import SERIAL
from longbench_write.suites.suite import Prompt

AT_ONCE = 8
"""Processes of the scripts, each with one request in flight."""

_STAND_INS = """
import multiprocessing, sys
from unittest.mock import MagicMock
torch = MagicMock(multiprocessing=multiprocessing)
for name in ("torch", "torch.distributed", "transformers", "numpy"):
    sys.modules[name] = torch
sys.modules["torch.multiprocessing"] = multiprocessing
import requests
there = requests.post
def post(url, json, **more):
    return there(sys.argv[1] + "/v1/chat/completions", json=json | {"model": sys.argv[3]}, **more)
requests.post = post
path = sys.argv[2]
exec(compile(open(path).read(), path, "exec"), {"__name__": "__main__"})
"""
"""The scripts import torch, transformers and numpy, of which they use the processes alone, and know one
address and one model."""


def run_reference(folder: Path, url: str, prompts: Sequence[Prompt], place: Path) -> dict[str, str]:
    """Plan and write texts with the reference's scripts, in their own processes.

    Args:
        folder: Holds plan.py, write.py and prompts/.
        url: The server's, without /v1.
        prompts: What is asked for.
        place: A new folder, where the scripts find their input and leave their output.

    Returns:
        The text of each instruction that came, its paragraphs joined as the scripts join them.

    Raises:
        subprocess.CalledProcessError: A script failed.
    """
    place.mkdir()
    (place / "prompts").symlink_to((folder / "prompts").resolve())
    lines = [json.dumps({"prompt": prompt.prompt}, ensure_ascii=False) for prompt in prompts]
    (place / "instructions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for script in ("plan.py", "write.py"):
        words = [sys.executable, "-c", _STAND_INS, url, str((folder / script).resolve()), SERIAL]
        subprocess.run(words, cwd=place, check=True, capture_output=True, env=os.environ | {"NO_PROXY": "*"})
    written = [json.loads(line) for line in (place / "write.jsonl").read_text(encoding="utf-8").splitlines()]
    return {each["prompt"]: "\n\n".join(each["write"]) for each in written}
