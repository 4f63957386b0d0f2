"""Variables that keys, headers and a base URL are read from: the environment's, then those of an env file.

What an env file says is looked up here alone and is never put into the environment: a checkout's file can
name keys, but no proxy, certificate or library path; and its base URL gets no key from elsewhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from io import StringIO
from pathlib import Path

from longbench_write.errors import UsageError
from longbench_write.files.reading import read_text
from longbench_write.urls import public_url

DEFAULT_KEY_ENV = "OPENAI_API_KEY"
"""The variable that contains the key for the default base URL."""

BASE_URL_ENV = "OPENAI_BASE_URL"
"""The variable that contains the default base URL."""

DEFAULT_FILE = Path(".env")
"""The env file that is read where none is named."""

_file: dict[str, str] = {}


def read_env_file(path: Path | None, note: Callable[[str], None], names: Iterable[str | None] = ()) -> None:
    """Read the env file, in place of the one that was read before.

    Args:
        path: The file; None takes `.env` in the working folder if it is there.
        note: Told which variables are taken from it, by name.
        names: Variables that will be asked for, beside those of the default key and base URL.

    Raises:
        UsageError: It is not there, or cannot be read.
    """
    _file.clear()
    chosen = path or DEFAULT_FILE
    if path is None and not chosen.is_file():
        return
    from dotenv import dotenv_values

    try:
        text = read_text(Path(os.path.expanduser(chosen)))
    except (OSError, UnicodeDecodeError) as error:
        if path is None:
            note(f"{chosen} is not read: {error}")
            return
        raise UsageError(f"--env-file {path} cannot be read: {error}") from None
    found = dotenv_values(stream=StringIO(text), interpolate=False)
    _file.update({name: value for name, value in found.items() if value})
    wanted = {DEFAULT_KEY_ENV, BASE_URL_ENV, *names}
    if told := sorted(name for name in _file if name in wanted and name not in os.environ):
        note(f"{', '.join(told)}: read from {chosen}")


def variable(name: str) -> str:
    """Return a variable's value, the environment's before the env file's; "" where it is not set."""
    return os.environ[name] if name in os.environ else _file.get(name, "")


def is_set(name: str) -> bool:
    """Return whether a variable has a value."""
    return bool(variable(name).strip())


def default_base_url(key_env: str | None, others: Iterable[str] = ()) -> tuple[str | None, str]:
    """Find the base URL that OPENAI_BASE_URL names.

    Args:
        key_env: The variable of the key that would be sent there; None if none would.
        others: The variables of what else would be sent there.

    Returns:
        The URL, or None; and what the user should know of it, "" for nothing.
    """
    if BASE_URL_ENV in os.environ:
        url = os.environ[BASE_URL_ENV].strip()
        return url or None, f"base URL: {public_url(url)}, of {BASE_URL_ENV}" if url else ""
    url = _file.get(BASE_URL_ENV, "").strip()
    if not url:
        return None, ""
    elsewhere = [name for name in (key_env, *others) if name and (name in os.environ or name not in _file)]
    if key_env is None or elsewhere:
        return None, (
            f"{BASE_URL_ENV} of the env file is not used: only a key from the same file is sent there, and "
            f"{', '.join(elsewhere) or 'none'} is not from it (--base-url names a server whatever its key)"
        )
    return url, f"base URL: {public_url(url)}, of {BASE_URL_ENV} in the env file"
