import contextlib
import email.utils
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.errors import (
    ERROR_ACTIONS,
    AssetError,
    BackendError,
    ErrorAction,
    LbwError,
    RetryPolicy,
    RunFolderError,
    UsageError,
    from_status,
    parse_retry_after,
    shorten,
    unknown_name,
    with_retries,
)

WAIT = RetryPolicy.wait
"""The real one; the tests' own fixture makes retries instant."""

RETRY, GIVE_UP, STOP = ErrorAction.RETRY, ErrorAction.GIVE_UP, ErrorAction.STOP


def test_exit_codes():
    assert UsageError("x").exit_code == 2
    for error in (LbwError("x"), AssetError("x"), RunFolderError("x"), BackendError("timeout", "x")):
        assert error.exit_code == 1


@pytest.mark.parametrize(
    ("status", "detail", "kind", "action"),
    [
        (400, "bad field", "bad_request", GIVE_UP),
        (400, "This model's maximum context length is 8192 tokens", "context_length", GIVE_UP),
        (400, "the request exceeds the available context size", "context_length", GIVE_UP),
        (400, "(context_length_exceeded)", "context_length", GIVE_UP),
        (400, "blocked (content_filter)", "content_filter", GIVE_UP),
        (400, "Azure's Content Management Policy", "content_filter", GIVE_UP),
        (401, "no key", "unauthorized", STOP),
        (402, "pay", "quota", STOP),
        (403, "not yours", "forbidden", STOP),
        (404, "no such model", "not_found", STOP),
        (405, "no", "bad_request", GIVE_UP),
        (408, "too slow", "timeout", RETRY),
        (409, "conflict", "server_error", RETRY),
        (413, "too large", "context_length", GIVE_UP),
        (422, "bad field", "bad_request", GIVE_UP),
        (422, "prompt is too long", "context_length", GIVE_UP),
        (429, "slow down", "rate_limited", RETRY),
        (429, "maximum context length of your tier", "rate_limited", RETRY),
        (429, "(insufficient_quota)", "quota", STOP),
        (429, "suspended due to insufficient balance (exceeded_current_quota_error)", "quota", STOP),
        (429, "You exceeded your current quota, please check your plan and billing", "quota", STOP),
        (429, "check your plan and billing details; please retry in 20 s", "rate_limited", RETRY),
        (400, "Arrearage: access denied", "quota", STOP),
        (400, "(billing_hard_limit_reached)", "quota", STOP),
        (403, "your account is not active", "quota", STOP),
        (429, "账户余额不足", "quota", STOP),
        (400, "(data_inspection_failed)", "content_filter", GIVE_UP),
        (423, "locked", "server_error", RETRY),
        (424, "a dependency failed", "server_error", RETRY),
        (425, "too early", "server_error", RETRY),
        (430, "too many", "rate_limited", RETRY),
        (460, "gone", "timeout", RETRY),
        (498, "no capacity", "rate_limited", RETRY),
        (499, "closed", "timeout", RETRY),
        (500, "oops", "server_error", RETRY),
        (502, "bad gateway", "server_error", RETRY),
        (503, "overloaded", "rate_limited", RETRY),
        (504, "gateway time-out", "server_error", RETRY),
        (529, "overloaded", "server_error", RETRY),
    ],
)
def test_each_status_has_its_meaning(status, detail, kind, action):
    error = from_status(status, detail, retry_after=3.0)
    assert (error.kind, error.action, error.retry_after) == (kind, action, 3.0)
    assert str(error).startswith(f"HTTP {status}: {detail}")


@given(st.integers(400, 599), st.text())
def test_every_status_and_detail_has_a_verdict(status, detail):
    error = from_status(status, detail)
    assert error.kind in ERROR_ACTIONS
    assert "\n" not in str(error)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_what_stops_the_run_says_how_to_fix_it(status):
    assert len(str(from_status(status, "no"))) > len(f"HTTP {status}: no (")


def test_only_the_prompts_own_faults_blame_it():
    assert {kind for kind in ERROR_ACTIONS if BackendError(kind, "x").caused_by_prompt} == {
        "context_length",
        "content_filter",
    }


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        (" 2 ", 2.0),
        ("-3", 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        (None, None),
        ("", None),
        ("soon", None),
        ("Wed, 99 Oct 2015", None),
        ("Wed, 21 Oct 99999999999999999999 07:28:00 GMT", None),
    ],
)
def test_retry_after(value, seconds):
    assert parse_retry_after(value) == seconds


def test_retry_after_as_a_date_to_come():
    value = email.utils.formatdate(time.time() + 1000, usegmt=True)
    assert 900 < parse_retry_after(value) <= 1000


def test_a_date_counts_from_the_servers_own_clock():
    at, later = (email.utils.formatdate(seconds, usegmt=True) for seconds in (1_000_000_000, 1_000_000_020))
    assert parse_retry_after(later, at) == 20.0
    assert parse_retry_after(at, later) == 0.0
    assert parse_retry_after("7", at) == 7.0
    assert parse_retry_after(later, "no date") == 0.0


@given(st.text() | st.floats().map(str) | st.from_regex(r"\w{3}, \d+ \w{3} \d+ [\d:]+ [+-]?\w+"))
def test_any_retry_after_is_a_wait_or_none(value):
    seconds = parse_retry_after(value)
    assert seconds is None or seconds >= 0
    assert 0 <= WAIT(RetryPolicy(), 1, BackendError("rate_limited", "x", retry_after=seconds)) <= 300


@given(st.integers(1, 200), st.floats(0, 1e9) | st.none())
def test_a_wait_grows_by_halves_under_its_cap(attempt, asked):
    policy = RetryPolicy(base=1.0, cap=60.0, longest=300.0)
    seconds = WAIT(policy, attempt, BackendError("timeout", "x", retry_after=asked))
    top = min(60.0, 2.0 ** (attempt - 1))
    assert max(top / 2, min(asked or 0.0, 300.0)) <= seconds <= max(top, min(asked or 0.0, 300.0))


def asker(*outcomes):
    """A try that raises or returns each outcome in turn, and the list of tries so far."""
    tries = []

    async def ask():
        outcome = outcomes[min(len(tries), len(outcomes) - 1)]
        tries.append(outcome)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    return ask, tries


async def test_it_is_tried_until_it_succeeds():
    first, second = BackendError("timeout", "1"), BackendError("rate_limited", "2", retry_after=9.0)
    ask, tries = asker(first, second, "done")
    told = []
    assert (
        await with_retries(ask, RetryPolicy(), lambda error, seconds: told.append((error, seconds))) == "done"
    )
    assert len(tries) == 3
    assert told == [(first, 0.0), (second, 0.0)]


async def test_the_wait_is_the_policys(monkeypatch):
    monkeypatch.setattr(RetryPolicy, "wait", WAIT)
    ask, _ = asker(BackendError("timeout", "1", retry_after=0.001), "done")
    told = []
    await with_retries(ask, RetryPolicy(base=0.0), lambda error, seconds: told.append(seconds))
    assert told == [0.001]


@pytest.mark.parametrize("tries", [1, 2, 6])
@pytest.mark.parametrize("kind", ERROR_ACTIONS)
async def test_each_kind_is_tried_as_often_as_it_is_worth(kind, tries):
    ask, done = asker(BackendError(kind, "x"))
    with pytest.raises(BackendError) as caught:
        await with_retries(ask, RetryPolicy(tries=tries, overload_tries=9), lambda error, seconds: None)
    wanted = {"rate_limited": 9, "open_files": 9}.get(kind, tries) if ERROR_ACTIONS[kind] is RETRY else 1
    assert len(done) == caught.value.attempts == wanted
    assert caught.value.kind == kind


async def test_retries_end_at_an_error_of_another_kind():
    ask, done = asker(BackendError("timeout", "x"), BackendError("unauthorized", "y"), "never")
    with pytest.raises(BackendError, match="y") as caught:
        await with_retries(ask, RetryPolicy(), lambda error, seconds: None)
    assert len(done) == caught.value.attempts == 2


async def test_a_bug_is_not_retried():
    ask, done = asker(ZeroDivisionError())
    with contextlib.suppress(ZeroDivisionError):
        await with_retries(ask, RetryPolicy(), lambda error, seconds: None)
    assert len(done) == 1


@given(st.text(), st.integers(1, 50))
def test_shortened_text_is_one_line(text, limit):
    line = shorten(text, limit)
    assert len(line) <= limit
    assert len(line.splitlines()) <= 1


def test_an_unknown_name_gives_the_nearest():
    nearest = str(unknown_name("backend", "opanai", ["openai", "local"]))
    assert "'opanai'" in nearest
    assert "'openai'" in nearest
    assert "local" not in nearest
    assert "openai, local" in str(unknown_name("backend", "zzz", ["openai", "local"]))
    assert "'zzz'" in str(unknown_name("judge", "zzz", []))
