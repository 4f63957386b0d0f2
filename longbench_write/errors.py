"""The few error types, and the one place that decides what an error means.

Every error that a user meets is an `LbwError`: its text is one sentence that says what to do, and its
`exit_code` is what the command line ends with. What a model's server answers becomes a `BackendError`,
whose `action` says whether to retry, to give this prompt up, or to stop the run.
"""

from __future__ import annotations

import difflib
import enum
import random
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


class LbwError(Exception):
    """Base of all errors of this package; the run could not be finished (exit code 1)."""

    exit_code = 1


class UsageError(LbwError):
    """Wrong usage or configuration, found before anything is spent (exit code 2)."""

    exit_code = 2


class AssetError(LbwError):
    """An official file could not be had, or is not the file that its hash says."""


class RunFolderError(LbwError):
    """A run folder cannot be read, written or locked."""


class FolderInUseError(RunFolderError):
    """Another process works in the run folder.

    Attributes:
        step: The Slurm step that it is of, "" where it is of none or nobody knows.
    """

    def __init__(self, message: str, step: str = "") -> None:
        super().__init__(message)
        self.step = step


class RunFolderLostError(RunFolderError):
    """A run folder, or a file in it, is not what was opened any more: nothing is recorded there."""


class ErrorAction(enum.Enum):
    """What a backend's error means for the run."""

    RETRY = "retry"
    GIVE_UP = "give this prompt up"
    STOP = "stop the run"


CONTEXT_LENGTH = "context_length"
"""The kind of error of a context that is too small."""

OPEN_FILES = "open_files"
"""The kind of error of a process that has as many files and connections open as it may: no server's fault."""

ERROR_ACTIONS: Mapping[str, ErrorAction] = {
    "connection": ErrorAction.RETRY,
    "timeout": ErrorAction.RETRY,
    "rate_limited": ErrorAction.RETRY,
    "server_error": ErrorAction.RETRY,
    "bad_response": ErrorAction.RETRY,
    OPEN_FILES: ErrorAction.RETRY,
    CONTEXT_LENGTH: ErrorAction.GIVE_UP,
    "content_filter": ErrorAction.GIVE_UP,
    "bad_request": ErrorAction.GIVE_UP,
    "unauthorized": ErrorAction.STOP,
    "forbidden": ErrorAction.STOP,
    "not_found": ErrorAction.STOP,
    "quota": ErrorAction.STOP,
    "refused_parameter": ErrorAction.STOP,
    "redirected": ErrorAction.STOP,
    "finish_reason": ErrorAction.STOP,
    "engine_dead": ErrorAction.STOP,
    "budget": ErrorAction.STOP,
}
"""Every `BackendError.kind` and its action."""


class BackendError(LbwError):
    """A request to a model that gave no completion.

    Attributes:
        kind: One of the keys of `ERROR_ACTIONS`.
        retry_after: Seconds that the server asked to wait, if it did.
        attempts: Requests spent on this completion so far, this one included.
    """

    def __init__(self, kind: str, message: str, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after = retry_after
        self.attempts = 1

    @property
    def action(self) -> ErrorAction:
        """What this error means for the run."""
        return ERROR_ACTIONS[self.kind]

    @property
    def caused_by_prompt(self) -> bool:
        """Whether the prompt itself is the cause, so that others may well succeed."""
        return self.kind in (CONTEXT_LENGTH, "content_filter")


_CONTEXT_PHRASES = (
    "context_length",
    "context length",
    "context size",
    "context window",
    "maximum context",
    "exceed_context",
    "too many tokens",
    "prompt is too long",
)
_FILTER_PHRASES = (
    *("content_filter", "content filter", "content management policy", "content_policy", "content policy"),
    *("responsibleaipolicy", "data_inspection_failed", "datainspectionfailed", "content exists risk"),
    *(
        "inappropriate content",
        "prohibited_content",
        "safety system",
        "new_sensitive",
        "敏感内容",
        "内容安全",
    ),
)
_ACCOUNT_PHRASES = (
    *("insufficient_quota", "exceeded_current_quota", "quota_exhausted", "quota exhausted", "quota_exceeded"),
    *("billing_hard_limit", "billing hard limit", "billing_not_active", "plan and billing", "spending limit"),
    *("insufficient balance", "insufficient_balance", "insufficientbalance", "balance is insufficient"),
    *(
        "balance is not enough",
        "balance not enough",
        "credit balance",
        "insufficient credit",
        "out of credit",
    ),
    *("insufficient_credit", "insufficient funds", "no credits", "credits exhausted", "exceeded_budget"),
    *("arrearage", "overdue", "unpaid", "payment required", "payment_required", "please recharge", "top up"),
    *("account is not active", "account_deactivated", "account has been deactivated", "account deactivated"),
    *("account is suspended", "account suspended", "account has been suspended", "account_suspended"),
    *("account is disabled", "account has been disabled", "account_disabled", "account closed"),
    *("account is closed", "account has been closed", "access_terminated", "余额不足", "欠费", "账户已停用"),
)
"""Words, and codes, of a server whose account is used up, unpaid or closed, whatever the prompt."""

_PASSING = re.compile(r"per (?:minute|second|hour|day)|(?:retry|try again) (?:in|after)|\b[rt]p[ms]\b")
"""Words of a limit that passes by itself, which some servers call a quota too."""

_OVERLOAD_PHRASES = ("rate limit", "rate_limit", "too many requests", "overloaded", "throttl", "限流", "频率")

_STATUSES = {
    401: "unauthorized",
    402: "quota",
    403: "forbidden",
    404: "not_found",
    **dict.fromkeys((408, 460, 499), "timeout"),
    **dict.fromkeys((409, 423, 424, 425), "server_error"),
    **dict.fromkeys((429, 430, 498, 503), "rate_limited"),
}
"""What statuses mean by themselves; of the others, 500 and more are the server's error, and it may pass."""

_FIXES = {
    "unauthorized": "set the variable that contains the key, or name it with --api-key-env",
    "forbidden": "the key is not allowed to use this model: use another key or another model",
    "not_found": "check the model's name and the base URL (an OpenAI-compatible one ends in /v1)",
    "quota": "the account's credit is spent: top it up and run the same command again",
}


def from_status(status: int, detail: str, *, retry_after: float | None = None) -> BackendError:
    """Turn an HTTP error status into the `BackendError` that says what it means.

    Args:
        status: The HTTP status, 400 or more.
        detail: What the server said, free of secrets.
        retry_after: Seconds from the server's Retry-After header (see `parse_retry_after`).
    """
    kind = _kind(status, detail.casefold())
    fix = f" ({_FIXES[kind]})" if kind in _FIXES else ""
    return BackendError(kind, f"HTTP {status}: {shorten(detail)}{fix}", retry_after=retry_after)


def _kind(status: int, folded: str) -> str:
    """Return the `BackendError.kind` of a status and what was said with it, in small letters."""
    if _any_of(_FILTER_PHRASES, folded):
        return "content_filter"
    if status in (400, 403, 429) and is_account_trouble(folded):
        return "quota"
    if status == 413 or (status in (400, 422) and _any_of(_CONTEXT_PHRASES, folded)):
        return CONTEXT_LENGTH
    return _STATUSES.get(status) or ("server_error" if status >= 500 else "bad_request")


def is_account_trouble(detail: str) -> bool:
    """Return whether a server's words say that an account is used up, unpaid or closed: no prompt's fault."""
    folded = detail.casefold()
    if not _any_of(_ACCOUNT_PHRASES, folded):
        return False
    return "insufficient_quota" in folded or not _PASSING.search(folded)


def implied_status(detail: str) -> int:
    """Return the HTTP status that a server's words mean, where an error came without one."""
    folded = detail.casefold()
    if is_account_trouble(folded):
        return 402
    if _any_of(_OVERLOAD_PHRASES, folded):
        return 429
    return 400 if _any_of(_CONTEXT_PHRASES, folded) else 500


def _any_of(phrases: Iterable[str], folded: str) -> bool:
    return any(phrase in folded for phrase in phrases)


def parse_retry_after(value: str | None, answered: str | None = None) -> float | None:
    """Read a Retry-After header: seconds or an HTTP date; None where it says neither.

    Args:
        value: The header.
        answered: The response's Date header, from which a date counts: the server's clock may not be ours.
    """
    if value is None:
        return None
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    until = _seconds_of(value)
    if until is None:
        return None
    now = _seconds_of(answered) if answered else None
    return max(0.0, until - (time.time() if now is None else now))


def _seconds_of(date: str) -> float | None:
    """Return an HTTP date in seconds since 1970; None where it is none."""
    import email.utils

    try:
        return email.utils.parsedate_to_datetime(date).timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


_LISTED = 40
"""Known names that are listed where none is near."""


def unknown_name(what: str, name: str, known: Iterable[str]) -> UsageError:
    """Make the error for a name that nobody has, naming the nearest one that somebody has."""
    names = list(known)
    near = difflib.get_close_matches(name, names, 1, 0.5)
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names[:_LISTED]) or 'none'}{more}"
    return UsageError(f"unknown {what} {name!r}; {hint}")


def shorten(text: str, limit: int = 300) -> str:
    """Return the text as one line of at most `limit` characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and after how long a request is tried again.

    The wait before try n + 1 is drawn uniformly from the upper half of `base * 2**(n - 1)` seconds, at most
    `cap`; a server's Retry-After lengthens it, up to `longest`. With the defaults a fault is given up after
    about half a minute, an overloaded server, or too many open files, after about six.
    """

    tries: int = 6
    overload_tries: int = 12
    base: float = 1.0
    cap: float = 60.0
    longest: float = 300.0

    def allows(self, attempt: int, error: BackendError) -> bool:
        """Return whether another try may follow the failed try number `attempt` (from 1)."""
        if error.action is not ErrorAction.RETRY:
            return False
        overloaded = error.kind in ("rate_limited", OPEN_FILES)
        return attempt < (self.overload_tries if overloaded else self.tries)

    def wait(self, attempt: int, error: BackendError) -> float:
        """Return the seconds to wait after the failed try number `attempt` (from 1)."""
        back_off = min(self.cap, self.base * 2.0 ** (attempt - 1)) * random.uniform(0.5, 1.0)  # noqa: S311
        return max(back_off, min(error.retry_after or 0.0, self.longest))


async def with_retries(
    ask: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    on_retry: Callable[[BackendError, float], Any],
) -> T:
    """Await `ask` until it succeeds, its error is not worth a retry, or the tries are used up.

    Args:
        ask: One try.
        policy: Tries and waits.
        on_retry: Told the error and the seconds of each wait before it begins.

    Raises:
        BackendError: The last error, its `attempts` set to the number of tries.
    """
    import tenacity

    def fault(state: tenacity.RetryCallState) -> BackendError | None:
        error = state.outcome.exception() if state.outcome else None
        return error if isinstance(error, BackendError) else None

    def wanted(state: tenacity.RetryCallState) -> bool:
        error = fault(state)
        return error is not None and policy.allows(state.attempt_number, error)

    def wait(state: tenacity.RetryCallState) -> float:
        error = fault(state)
        return policy.wait(state.attempt_number, error) if error else 0.0

    def tell(state: tenacity.RetryCallState) -> None:
        if error := fault(state):
            on_retry(error, state.upcoming_sleep)

    retrying = tenacity.AsyncRetrying(retry=wanted, wait=wait, before_sleep=tell, reraise=True)
    try:
        return await retrying(ask)
    except BackendError as error:
        error.attempts = retrying.statistics["attempt_number"]
        raise
