"""run.yaml on the disk: read, checked and written."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from longbench_write.errors import RunFolderError, UsageError, shorten
from longbench_write.files.reading import read_text
from longbench_write.files.schema import check_schema, known_names
from longbench_write.files.whole import write_whole
from longbench_write.files.yaml_text import read_mapping
from longbench_write.runs.folder import MANIFEST
from longbench_write.runs.shapes import ManifestShape, check_manifest

MANIFEST_SCHEMA = 1
"""The newest schema of run.yaml that can be read."""

ASKED = "asked.json"
"""The file beside run.yaml that holds its `asked` where that has more than `MOST_ASKED` prompts: YAML of
100,000 lines takes half a minute to read. run.yaml then has this name in its place."""

MOST_ASKED = 2000


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a run folder's run.yaml.

    Raises:
        UsageError: It is no run folder.
        RunFolderError: The manifest cannot be read or used; what is wrong is named.
    """
    path = folder / MANIFEST
    if not os.path.exists(path):
        raise UsageError(f"{folder} is not a run folder: it has no {MANIFEST}")
    manifest = read_mapping(path, error=RunFolderError)
    if manifest.get("asked") == ASKED:
        manifest["asked"] = _read_asked(folder / ASKED)
    _check(path, manifest)
    return manifest


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write a run folder's run.yaml."""
    import yaml

    if len(asked := manifest.get("asked") or {}) > MOST_ASKED:
        write_whole(folder / ASKED, json.dumps(asked, ensure_ascii=False, indent=0) + "\n")
        manifest = dict(manifest) | {"asked": ASKED}
    text = yaml.safe_dump(dict(manifest), sort_keys=False, allow_unicode=True, width=110)
    write_whole(folder / MANIFEST, text)


def _read_asked(path: Path) -> Any:
    try:
        return json.loads(read_text(path))
    except (OSError, ValueError, RecursionError) as error:
        raise RunFolderError(f"{path} cannot be read ({shorten(str(error), 100)}): restore it") from None


def _check(path: Path, manifest: Mapping[str, Any]) -> None:
    """Check that a run.yaml can be used.

    Raises:
        RunFolderError: It lacks something, or holds what cannot be; that is named.
    """
    check_schema(path, manifest.get("schema", 1), MANIFEST_SCHEMA)
    if lacking := [name for name in known_names(ManifestShape) if name not in manifest]:
        raise RunFolderError(f"{path} does not say {', '.join(lacking)}: it is no run's manifest")
    try:
        check_manifest(manifest)
    except ValueError as error:
        raise RunFolderError(
            f"{path} was changed and cannot be used ({shorten(str(error), 100)}): restore what it said, "
            "or start another run with --fresh"
        ) from None
