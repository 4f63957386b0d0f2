"""Runners of the files under ci/, as GitHub and GitLab have them: caches, steps, a disk that may stay.

Nothing is installed: the command is this checkout's, put on the path by the workplace.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

CI = Path(__file__).parent.parent / "ci"
GITHUB = yaml.safe_load((CI / "github-workflow.yml").read_text())
GITLAB = yaml.safe_load((CI / "gitlab-ci.yml").read_text())


def environment(workplace: Path, **more: str) -> dict[str, str]:
    """The environment of a command in this checkout, `lbw-eval` on its path."""
    package = str(Path(__file__).parent.parent)
    path = f"{workplace.parent / 'bin'}{os.pathsep}{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": package} | more


def _shown(value: Any) -> str:
    """What GitHub puts in a value's place."""
    return str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class Ended:
    """A job that has ended."""

    code: int
    log: str
    artifact: str = ""


def bash(workplace: Path, script: str, variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a script as runners do: it ends with its first command that fails."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
        cwd=workplace,
        env=environment(workplace, **variables),
        capture_output=True,
        text=True,
        timeout=300,
    )


@dataclass
class Runner:
    """A machine that runs jobs in one workplace.

    Attributes:
        keeps_disk: Whether what a job leaves is there for the next one.
        caches: Stored folders by key, the newest last.
    """

    workplace: Path
    keeps_disk: bool
    caches: dict[str, Path] = field(default_factory=dict)

    def _begin(self) -> None:
        if not self.keeps_disk:
            shutil.rmtree(self.workplace / ".lbw", ignore_errors=True)

    def _store(self, key: str, path: Path) -> None:
        store = self.workplace.parent / f"cache-{len(self.caches)}-{os.urandom(4).hex()}"
        shutil.copytree(path, store)
        self.caches.pop(key, None)
        self.caches[key] = store

    def _restore(self, key: str, path: Path) -> None:
        shutil.copytree(self.caches[key], path, dirs_exist_ok=True)


class Github(Runner):
    """Runs the reusable workflow's job."""

    def job(self, run: int, attempt: int, inputs: dict[str, str]) -> Ended:
        """Run the job's steps; one that fails skips those behind it that do not ask for `always()`."""
        self._begin()
        values = self._values(run, attempt, inputs)
        code, log, artifact = 0, "", ""
        name = "baseline" if values["inputs.update-baseline"] == "true" else "gate"
        for step in GITHUB["jobs"][name]["steps"]:
            if (code and step.get("if") != "always()") or step.get("name") == "Install":
                continue
            options = self._resolved(step.get("with", {}), values)
            if "run" in step:
                done = self._run(GITHUB["jobs"][name], step, values)
                log += done.stdout + done.stderr
                code = code or done.returncode
            elif step["uses"].startswith("actions/cache/"):
                self._cache(step["uses"], options)
            elif step["uses"].startswith("actions/upload-artifact"):
                artifact = options["name"]
        return Ended(code, log, artifact)

    def _values(self, run: int, attempt: int, inputs: dict[str, str]) -> dict[str, str]:
        trigger = GITHUB[True]["workflow_call"]
        assert inputs.keys() <= trigger["inputs"].keys()
        defaults = {name: _shown(each.get("default", "")) for name, each in trigger["inputs"].items()}
        return {
            **{f"inputs.{name}": value for name, value in (defaults | inputs).items()},
            **{f"secrets.{name}": "" for name in trigger["secrets"]},
            "github.workspace": str(self.workplace),
            "github.run_id": str(run),
            "github.run_attempt": str(attempt),
        }

    def _resolved(self, texts: dict[str, Any], values: dict[str, str]) -> dict[str, str]:
        expression = re.compile(r"\$\{\{\s*([\w.-]+)\s*\}\}")
        return {
            name: expression.sub(lambda match: values[match[1]], str(text)) for name, text in texts.items()
        }

    def _run(
        self, job: dict[str, Any], step: dict[str, Any], values: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        variables = self._resolved(job["env"] | step.get("env", {}), values)
        output = self.workplace.parent / "output"
        output.write_text("")
        variables |= {"GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": str(output)}
        done = bash(self.workplace, step["run"], variables | {"GITHUB_STEP_SUMMARY": str(self.summary)})
        for line in output.read_text().splitlines():
            name, _, value = line.partition("=")
            values[f"steps.{step['id']}.outputs.{name}"] = value
        return done

    def _cache(self, action: str, options: dict[str, str]) -> None:
        path, key = Path(options["path"]), options["key"]
        assert "," not in key  # GitHub refuses such a key
        if action.startswith("actions/cache/save"):
            if path.is_dir() and key not in self.caches:
                self._store(key, path)
            return
        prefix = options["restore-keys"]
        found = [known for known in self.caches if known == key or known.startswith(prefix)]
        if found:
            self._restore(found[-1], path)

    @property
    def summary(self) -> Path:
        """The step's summary."""
        return self.workplace.parent / "summary.md"


class Gitlab(Runner):
    """Runs a job, with an index where it is one of a matrix."""

    def job(
        self, pipeline: int, inputs: dict[str, str], index: int | None = None, name: str = "long-form-writing"
    ) -> Ended:
        """Run the job's script; the caches are stored whatever becomes of it."""
        self._begin()
        job = GITLAB[name]
        variables = {name: str(value) for name, value in job["variables"].items()} | inputs
        known = {"CI_PROJECT_DIR": str(self.workplace), "CI_PIPELINE_ID": str(pipeline)}
        known |= {
            "CI_JOB_NAME_SLUG": name,
            "CI_COMMIT_REF_SLUG": "main",
            "CI_NODE_INDEX": "" if index is None else str(index),
        }
        variables = {name: self._expanded(value, known) for name, value in variables.items()} | known
        caches = [each for each in job["cache"] if each["key"] != "lbw-assets-1"]
        for cache in caches:
            if (key := self._key(cache, variables)) in self.caches:
                self._restore(key, self.workplace / cache["paths"][0])
        done = bash(self.workplace, "\n".join(job["script"]), variables)
        for cache in caches:
            if cache.get("policy") != "pull" and (path := self.workplace / cache["paths"][0]).is_dir():
                self._store(self._key(cache, variables), path)
        return Ended(done.returncode, done.stdout + done.stderr)

    def _key(self, cache: dict[str, Any], variables: dict[str, str]) -> str:
        key = self._expanded(cache["key"], variables)
        assert "/" not in key  # GitLab refuses such a key
        return key

    def _expanded(self, text: str, variables: dict[str, str]) -> str:
        return re.sub(r"\$(\w+)", lambda match: variables.get(match[1], ""), text)
