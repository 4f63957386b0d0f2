"""The command, called in this process as a user calls it."""

from __future__ import annotations

import sys

import pytest

from longbench_write.cli.app import main


@pytest.fixture
def lbw_eval(monkeypatch, tmp_path, capsys):
    """Calls the command in a folder of its own; gives exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)

    def call(*words):
        monkeypatch.setattr(sys, "argv", ["lbw-eval", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code or 0, *capsys.readouterr()

    return call
