"""Times as files have them: ISO 8601, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def parse_time(text: str) -> datetime:
    """Return the time that a text says; one without an offset is UTC.

    Raises:
        ValueError: It says none.
    """
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)


def is_time(text: str) -> bool:
    """Return whether `parse_time` can read a text."""
    try:
        parse_time(text)
    except (ValueError, OverflowError):  # an offset before year 1
        return False
    return True
