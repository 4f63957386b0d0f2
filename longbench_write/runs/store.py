"""The records of a run folder, read, and written by the one process that has locked it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar

from longbench_write.files.jsonl import Records
from longbench_write.files.record_file import RecordFile
from longbench_write.metrics.catalogue import BUILT_IN, merged
from longbench_write.records import Failure, Judgement, Key, Prediction, Step, StepKey
from longbench_write.runs import manifest_file
from longbench_write.runs.discarded import discarded_predictions, keep_judgements, keep_predictions
from longbench_write.runs.folder import (
    JUDGEMENTS,
    MANIFEST,
    PREDICTIONS,
    SCORES,
    STEPS,
    SUMMARY,
)
from longbench_write.runs.lock import lock_run_folder
from longbench_write.runs.steps import StepFile, step_key
from longbench_write.runs.unread import Disproved, is_for_parts, unread_judgements, unread_responses
from longbench_write.scoring.flags import ResponseFlags
from longbench_write.scoring.rows import Row
from longbench_write.scoring.summary import Summary
from longbench_write.scoring.table import read_rows
from longbench_write.serving.prompts_read import PromptsRead

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R", bound=Prediction | Judgement)
K = TypeVar("K", bound=Hashable)

JudgementKey = tuple[str, str, int, int]
"""A judgement's identity within a run: judge, prompt id, sample, repeat."""


@dataclass(frozen=True)
class Run:
    """A run folder, read.

    Attributes:
        path: The folder.
        manifest: What run.yaml says.
        predictions: Its responses, in the suite's order once the run is done.
        judgements: Its judgements.
        steps: What a writer of many requests was answered.
    """

    path: Path
    manifest: dict[str, Any]
    predictions: Records[Prediction, Key]
    judgements: Records[Judgement, JudgementKey]
    steps: Records[Step, StepKey]

    @cached_property
    def summary(self) -> Summary:
        """What its summary.json holds.

        Raises:
            RunFolderError: It has not been scored yet, or cannot be read.
        """
        return Summary.read(self.path / SUMMARY)

    @cached_property
    def scores(self) -> list[Row]:
        """Its responses, scored, from scores.csv.

        Raises:
            RunFolderError: It has not been scored yet, or cannot be read.
        """
        return read_rows(self.path / SCORES, self.summary.others)

    def frame(self) -> pd.DataFrame:
        """Return a pandas frame with a row a response and the columns of scores.csv.

        Raises:
            RunFolderError: It has not been scored yet, or cannot be read.
        """
        from longbench_write.scoring.frames import scores_frame

        return scores_frame(self.scores, merged(BUILT_IN, self.summary.others))


@dataclass(frozen=True)
class Owed:
    """What a command, or a run, still lacks.

    Attributes:
        responses: Not there, or failed transiently.
        judgements: Of the responses that are there, likewise.
        failed: Responses and judgements that failed permanently, which is not owed.
    """

    responses: int
    judgements: int
    failed: int

    @property
    def total(self) -> int:
        """Requests that the same command would make, at least."""
        return self.responses + self.judgements

    def __str__(self) -> str:
        """Return such as "3 responses and 1 judgement"."""
        parts = [(self.responses, "response"), (self.judgements, "judgement")]
        return " and ".join(f"{n} {what}{'' if n == 1 else 's'}" for n, what in parts if n) or "nothing"


def load_run(path: str | Path) -> Run:
    """Read a run folder; its records are read as they are iterated over.

    Raises:
        UsageError: It is no run folder.
        RunFolderError: Its manifest cannot be read.
    """
    folder = Path(path)
    return Run(
        folder,
        manifest_file.read_manifest(folder),
        Records(folder / PREDICTIONS, Prediction.from_json, _key),
        Records(folder / JUDGEMENTS, Judgement.from_json, _judgement_key),
        Records(folder / STEPS, Step.from_json, step_key),
    )


def _key(record: Prediction) -> Key:
    return record.key


def _judgement_key(record: Judgement) -> JudgementKey:
    return record.judge, record.id, record.sample, record.repeat


class _Settling(RecordFile[R, K]):
    """A file of records that knows which of them are transient failures: those are owed still."""

    def __init__(self, path: Path, parse: Callable[[dict[str, Any]], R], key: Callable[[R], K]) -> None:
        super().__init__(path, parse, key)
        self.failed: dict[K, bool] = {}
        """The records that are failures, and whether permanently."""

    def note(self, record: R) -> None:
        """Remember a record that is a failure."""
        if record.error is not None:
            self.failed[self._key(record)] = record.error.final

    def write(self, records: Sequence[R]) -> None:
        """Write records.

        Raises:
            RunFolderError: They could not be written.
        """
        super().write(records)
        for record in records:
            self.note(record)

    def discard(self, keys: Collection[K]) -> None:
        """Take records out of the file."""
        super().discard(keys)
        for key in keys:
            self.failed.pop(key, None)

    def owes(self, key: K) -> bool:
        """Return whether this is not there, or has failed transiently."""
        return key not in self or not self.failed.get(key, True)


class RunWriter:
    """A run folder that is locked and open for records; a context manager.

    What failed transiently is taken out when the folder is opened, and is owed again; so is a judgement whose
    response is not there. Of what the command does not select, everything stays.

    Args:
        path: The folder; it is made if it is not there.
        writing: Whether responses are going to be written; otherwise every prediction stays.
        judge: The label of the judge who resumes; the failed judgements of others stay.
        retry_failed: Whether what failed permanently is owed again too.
        selected: The responses that the command is about; None for all.
        in_chapters: Whether the judge is asked in parts where a response does not fit its context.

    Attributes:
        answered: The selected responses that were there when the folder was opened, and their lengths in
            words.
        response_flags: What responses show, of those that were looked at since.
        retry_failed: The same.
        steps: What writers of many requests have been answered.
        judged_prompts: What was read of the judge's prompts.
        disproved: What `disprove` found, and nobody has told yet.
    """

    def __init__(
        self,
        path: Path,
        *,
        writing: bool,
        judge: str | None,
        retry_failed: bool = False,
        selected: Collection[Key] | None = None,
        in_chapters: bool = False,
    ) -> None:
        self.path = path
        self._writing = writing
        self._judge = judge
        self.retry_failed = retry_failed
        self._selected = selected
        self._in_chapters = in_chapters
        self.judged_prompts = PromptsRead()
        self.disproved = Disproved()
        self.answered: dict[Key, int] = {}
        self.response_flags: dict[Key, ResponseFlags] = {}
        self.predictions = _Settling(path / PREDICTIONS, Prediction.from_json, _key)
        self.judgements = _Settling(path / JUDGEMENTS, Judgement.from_json, _judgement_key)
        self.steps = StepFile(path / STEPS)

    def open(self, locked: Callable[[], object] | None = None) -> None:
        """Lock the folder and read its records.

        Args:
            locked: Called in between; what it raises leaves the folder as it was.

        Raises:
            FolderInUseError: Another process holds it.
            RunFolderError: Its records cannot be read.
            UsageError: It cannot be written.
        """
        with ExitStack() as stack:
            self._lock = stack.enter_context(lock_run_folder(self.path))
            if locked:
                locked()
            self.predictions.open(keep=self._keeps_prediction, discard=partial(keep_predictions, self.path))
            stack.callback(self.predictions.close)
            self.judgements.open(keep=self._keeps_judgement, discard=partial(keep_judgements, self.path))
            stack.callback(self.judgements.close)
            for record in discarded_predictions(self.path):
                if record.unread:
                    self.steps.prompts[record.unread["role"]].add(record.unread)
            self.steps.open(self.predictions.__contains__)
            stack.callback(self.steps.close)
            self.disprove()
            self._lock.beats = [self.predictions.sync, self.judgements.sync, self.steps.sync]
            self._exits = stack.pop_all()

    def close(self) -> None:
        """Hand everything to the disk and let others have the folder.

        Raises:
            RunFolderError: The disk does not take it.
        """
        self._exits.close()

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def check(self) -> None:
        """Check that the folder is still the one that was opened, and this process's alone.

        Raises:
            RunFolderError: It is not; nothing more must be written.
        """
        self._lock.check()

    def _keeps_prediction(self, record: Prediction) -> bool:
        if record.response is not None and self._selects(record.key):
            self.answered[record.key] = record.response_length or 0
        keeps = not self._writing or not self._selects(record.key) or self._stays(record.error)
        if keeps:
            self.predictions.note(record)
        return keeps

    def _keeps_judgement(self, record: Judgement) -> bool:
        if record.judge == self._judge:
            self.judged_prompts.add(record.prompt_size)
        if record.key not in self.predictions:
            return False
        others = record.judge != self._judge or not self._selects(record.key)
        in_parts = self._in_chapters and is_for_parts(record)
        if keeps := others or (self._stays(record.error) and not in_parts):
            self.judgements.note(record)
        return keeps

    def _selects(self, key: Key) -> bool:
        return self._selected is None or key in self._selected

    def _stays(self, error: Failure | None) -> bool:
        return error is None or (error.final and not self.retry_failed)

    def judged(self, judge: str, key: Key, repeat: int) -> bool:
        """Return whether this judge has judged this response for the repeat number `repeat`, from 0."""
        return (judge, *key, repeat) in self.judgements

    def owed(self, keys: Iterable[Key], judge: str | None, repeats: int) -> Owed:
        """Return what of these responses is owed: not there, or failed transiently.

        Args:
            keys: The responses that were asked for.
            judge: The label of the judge that was asked for; None for nobody.
            repeats: Judgements of each response.
        """
        wanted = list(keys)
        responses = [key for key in wanted if self.predictions.owes(key)]
        written = [key for key in wanted if key in self.predictions and key not in self.predictions.failed]
        judgements = [
            (judge, *key, repeat) for key in (written if judge else ()) for repeat in range(repeats) if judge
        ]
        failed = sum(self.predictions.failed.get(key, False) for key in wanted)
        return Owed(
            responses=len(responses),
            judgements=sum(map(self.judgements.owes, judgements)),
            failed=failed + sum(self.judgements.failed.get(key, False) for key in judgements),
        )

    def has_judged(self, judge: str) -> bool:
        """Return whether this judge has judged any response."""
        return any(key[0] == judge for key in self.judgements.identities())

    def has_scored(self, judge: str) -> bool:
        """Return whether this judge has given any response its scores."""
        failed = self.judgements.failed
        return any(key[0] == judge and key not in failed for key in self.judgements.identities())

    def sort(self, order: Iterable[Key]) -> None:
        """Put the records in the suite's order, so that files do not depend on who answered first."""
        rank = {key: place for place, key in enumerate(order)}
        last = len(rank)
        self.predictions.sort(lambda key: rank.get(key, last))
        self.judgements.sort(lambda key: (key[0], rank.get((key[1], key[2]), last), key[3]))
        self.steps.sort(lambda key: rank.get(key, last))

    def amend(self, records: Iterable[Prediction]) -> None:
        """Put predictions in the place of those of the same responses; what was judged of these goes."""
        amended = {record.key: record for record in records}
        self.predictions.discard(amended)
        for record in amended.values():
            self.predictions.append(record)
            self.response_flags.pop(record.key, None)
            if self._selects(record.key):
                self.answered[record.key] = record.response_length or 0
        self._owe([key for key in self.judgements.identities() if key[1:3] in amended])

    def _owe(self, judged: Collection[JudgementKey]) -> None:
        """Take judgements out of the file, and keep them for what they cost."""
        keep_judgements(self.path, map(self.judgements.get, judged))
        self.judgements.discard(judged)

    def disprove(self) -> None:
        """Fail the responses and judgements whose prompts were not read whole, as later answers show.

        Judgements that are made in parts then are owed again.
        """
        found = list(unread_responses(self.predictions, self.steps))
        for record in found:
            self.answered.pop(record.key, None)
        if found:
            self.amend(found)
            self.disproved.responses += len(found)
        if not self.judged_prompts.settle():
            return
        mine = (record for record in self.judgements if record.judge == self._judge)
        failed = list(unread_judgements(mine, self.judged_prompts))
        keys = [_judgement_key(record) for record in failed]
        if self._in_chapters:
            self._owe(keys)
        elif failed:
            self.judgements.discard(keys)
            self.judgements.write(failed)
        self.disproved.judgements += [(record.key, record.repeat) for record in failed]

    def read_manifest(self) -> dict[str, Any] | None:
        """Read run.yaml; None where it has not been written yet."""
        return load_run(self.path).manifest if (self.path / MANIFEST).exists() else None

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write run.yaml.

        Raises:
            RunFolderError: It cannot be written, or the folder is not this process's any more.
        """
        self.check()
        manifest_file.write_manifest(self.path, manifest)
