"""What all tests share."""

from __future__ import annotations

import os

import pytest

from longbench_write.errors import RetryPolicy


@pytest.fixture(autouse=True)
def instant_back_off(monkeypatch):
    """Retries do not wait, whatever the policy and the server say."""
    monkeypatch.setattr(RetryPolicy, "wait", lambda self, attempt, error: 0.0)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    """No key of the person who runs the tests is ever used."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where LBW_NO_SKIPS is set, as in .ci/run, a skipped test fails the session."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("LBW_NO_SKIPS") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
