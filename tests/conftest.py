"""What all tests share."""

from __future__ import annotations

import importlib.util
import os
import signal

import pytest
from hypothesis import settings

from longbench_write.errors import RetryPolicy

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no test asks the real hub

# The same examples every time, so that a change fails for what it changed. New ones, to search for faults:
# pytest -m hypothesis --hypothesis-profile search
settings.register_profile("project", deadline=None, derandomize=True)
settings.register_profile("search", deadline=None, max_examples=2000)
settings.load_profile("project")


@pytest.fixture(autouse=True)
def instant_back_off(monkeypatch):
    """Retries do not wait, whatever the policy and the server say."""
    monkeypatch.setattr(RetryPolicy, "wait", lambda self, attempt, error: 0.0)


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    """No key of the person who runs the tests is ever used."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)


def pytest_configure() -> None:
    """Children of a session in the background, or under nohup, receive the signals that are ignored there."""
    for number in (signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


_OPTIONAL = {"model", "browser", "vllm", "hf", "slow"}
"""Markers of tests that need more than Python, and skip where it is not there."""


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Tests with the embedded model skip where what runs it is not installed.

    It is not imported here: that loads OpenMP before the backend can tell it not to spin.
    """
    if item.get_closest_marker("model") and importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("the local extra is not installed")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where LBW_EXPECT is set, as in .ci/run, only tests whose markers it does not name may skip."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or "LBW_EXPECT" not in os.environ:
        return
    may_skip = _OPTIONAL - set(os.environ["LBW_EXPECT"].split(","))
    if any(may_skip.isdisjoint(report.keywords) for report in reporter.stats.get("skipped", [])):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
