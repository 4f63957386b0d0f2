"""A hash of what a model's files contain, by which a copy is the same model and an edit is not.

A file is read once: its hash is kept in the cache under its path, and is valid as long as its size, inode
and both of its times (of modification, and of any change) are the same. A file of a hub's cache bears its
hash as its name already.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from longbench_write.assets.assets import cache_dir
from longbench_write.backends.base import is_folder
from longbench_write.errors import RunFolderError, UsageError
from longbench_write.files.whole import write_whole

_KINDS = frozenset(
    {".safetensors", ".bin", ".pt", ".pth", ".gguf", ".json", ".model", ".jinja", ".txt", ".tiktoken", ".py"}
)
"""File types that decide what a model's folder writes: weights, configuration, tokenizer, code."""
_OF_TRAINING = frozenset(
    {"optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt", "training_args.bin", "trainer_state.json"}
)
"""What a training leaves beside them."""
_LARGE = 2 << 30
"""Bytes that take so long to read that it is said."""
_THREADS = 4
_SETTLED = 2_000_000_000
"""Nanoseconds after a file's change in which another one may not show in its times, so coarse are they."""

Stamp = list[int]
"""Size, modification time, change time and inode of a file."""


def weights_sha256(path: Path, tell: Callable[[str], None]) -> str | None:
    """Hash a model's content: a file's bytes, or the names and bytes of a folder's model files.

    Args:
        path: A file, or a folder as transformers and vLLM read it.
        tell: Told in a sentence where reading it will take long.

    Returns:
        64 hexadecimal digits; None where there is no such file or folder.

    Raises:
        UsageError: A file cannot be read.
    """
    path = Path(os.path.expanduser(path))
    try:
        return _sha256(path, tell) if is_folder(str(path)) or os.path.isfile(path) else None
    except OSError as error:
        raise UsageError(f"{error.filename or path} cannot be read ({error.strerror})") from None


def _sha256(path: Path, tell: Callable[[str], None]) -> str:
    if path.is_file():
        return _hashes([path], tell)[0]
    files = sorted(
        file
        for file in path.iterdir()
        if file.suffix in _KINDS and file.name not in _OF_TRAINING and file.is_file()
    )
    named = zip((file.name for file in files), _hashes(files, tell), strict=True)
    return hashlib.sha256(json.dumps([list(pair) for pair in named]).encode()).hexdigest()


def _hashes(files: Iterable[Path], tell: Callable[[str], None]) -> list[str]:
    known = [(file, _named(file) or _kept(file)) for file in files]
    unread = [file for file, found in known if found is None]
    size = sum(file.stat().st_size for file in unread)
    if size >= _LARGE:
        tell(f"reading {size / 1e9:.0f} GB of {unread[0].parent} once, to tell this model from others")
    with ThreadPoolExecutor(_THREADS) as pool:
        read = dict(zip(unread, pool.map(_read, unread), strict=True))
    return [found or read[file] for file, found in known]


def _named(file: Path) -> str | None:
    """Return the SHA-256 by which a hub's cache names a large file; None for any other."""
    target = file.resolve()
    is_blob = file.is_symlink() and target.parent.name == "blobs"
    return target.name if is_blob and re.fullmatch("[0-9a-f]{64}", target.name) else None


def _stamp(file: Path) -> Stamp:
    status = file.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def _note(file: Path) -> Path:
    """Return the path under which the hash of a file is kept."""
    name = hashlib.sha256(str(file.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return cache_dir() / "weights" / f"{name}.json"


def _kept(file: Path) -> str | None:
    """Return the hash that was kept, if the file is still the same."""
    try:
        kept = json.loads(_note(file).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None  # what cannot be looked up is read again
    found = kept.get("sha256") if isinstance(kept, dict) and kept.get("stamp") == _stamp(file) else None
    return found if isinstance(found, str) else None


def _read(file: Path) -> str:
    began, stamp = time.time_ns(), _stamp(file)
    with file.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if stamp == _stamp(file) and began - stamp[2] > _SETTLED:
        _keep(file, stamp, found)
    return found


def _keep(file: Path, stamp: Stamp, found: str) -> None:
    note = _note(file)
    text = json.dumps({"path": str(file.resolve()), "stamp": stamp, "sha256": found})
    with suppress(OSError, RunFolderError):  # without a cache the file is read again next time
        note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(note, text)
