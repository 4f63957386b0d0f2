"""A server with a small window, asked as the README says: what to do stands on the screen at once."""

from __future__ import annotations

import subprocess
import threading
from dataclasses import replace

import pytest
from crash_tests import COMMAND
from servers.openai_server import Answer, OpenAIServer, writer

FREE = 9
"""Answers that come at once; the others are held back until the screen says what to do."""


class SmallWindow:
    """A model that writes on for ever, behind a window of 2,000 tokens; four letters of a prompt are a token.

    Attributes:
        told: Set when what the test waits for stands on the screen.
    """

    def __init__(self, finish):
        self.told = threading.Event()
        self.finish = finish

    def __call__(self, body, number):
        asked = len(body["messages"][-1]["content"]) // 4
        usage = {"prompt_tokens": asked, "completion_tokens": 2000 - asked}
        answer = Answer(writer(2000 - asked)(body, number).text, self.finish, usage=usage)
        return answer if number < FREE else replace(answer, hold=self.told)


@pytest.mark.parametrize("finish", ["length", "stop"])
def test_what_to_do_is_said_before_ten_answers_are_paid_for(tmp_path, finish):
    model = SmallWindow(finish)
    give_up = threading.Timer(120, model.told.set)
    with OpenAIServer(model, models=("my-model",)) as server:
        words = ["--model", "my-model", "--base-url", server.base_url, "--suite", "lbw-open"]
        command = [*COMMAND, *words, "--out", str(tmp_path)]
        give_up.start()
        with subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=tmp_path
        ) as child:
            said = next((line for line in child.stderr if "ceiling" in line), "")
            paid = server.answered
            give_up.cancel()
            model.told.set()
            rest = child.stderr.read()
        assert child.returncode == 0, rest
    assert paid < 10
    assert "2,000 tokens of prompt and answer" in said
    assert "--max-tokens" in said
    assert "--fresh" in said
    assert "docs/servers.md" in said
