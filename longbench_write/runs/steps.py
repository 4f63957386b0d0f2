"""steps.jsonl: what writers of many requests have been answered, recorded request by request.

Only the steps of unfinished responses are found again; a run whose writer makes one request has no such file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from longbench_write.files.record_file import RecordFile
from longbench_write.records import Key, Step, StepKey
from longbench_write.serving.prompts_read import PromptsRead, Unread


class StepFile:
    """The steps of a run folder that is locked; the file is made when the first step is recorded.

    Attributes:
        roles: The roles that have answered a step.
        prompts: What was read of the prompts of each.
    """

    def __init__(self, path: Path) -> None:
        self.roles: set[str] = set()
        self.prompts: defaultdict[str, PromptsRead] = defaultdict(PromptsRead)
        self._path = path
        self._file = RecordFile(path, Step.from_json, step_key)
        self._open = False
        self._unfinished: dict[Key, list[StepKey]] = {}

    def open(self, finished: Callable[[Key], bool]) -> None:
        """Read what is there.

        Args:
            finished: Whether a response is there already, so that its steps are not needed.

        Raises:
            RunFolderError: The file cannot be read or written.
        """
        if not self._path.exists():
            return
        self._open_file()
        for key in self._file.identities():
            if not finished(key[:2]):
                self._unfinished.setdefault(key[:2], []).append(key)
        self._file.forget([key for key in self._file.identities() if key[:2] not in self._unfinished])

    def _open_file(self) -> None:
        self._file.open(keep=self._count)
        self._open = True

    def _count(self, step: Step) -> bool:
        self.roles.add(step.role)
        self.prompts[step.role].add(step.prompt_size)
        return True

    def unread(self, step: Step) -> Unread | None:
        """Return what shows that a step's prompt was not read whole; None where nothing does."""
        return self.prompts[step.role].unread(step.prompt_size)

    def __iter__(self) -> Iterator[Step]:
        """Yield every step, in the file's order."""
        return iter(self._file)

    def of(self, response: Key) -> list[Step]:
        """Read the recorded steps of a response that is not finished."""
        return [self._file.get(key) for key in self._unfinished.get(response, ())]

    async def add(self, step: Step, then: Callable[[Step], object]) -> None:
        """Record a step outside of the event loop.

        Args:
            step: It.
            then: Called with it in the event loop as soon as it is recorded, also where the task that waits
                is cancelled meanwhile.

        Raises:
            RunFolderError: It could not be written whole.
        """
        if not self._open:
            self._open_file()

        def added(step: Step) -> None:
            self._unfinished.setdefault(step.key[:2], []).append(step.key)
            then(step)

        await self._file.add(step, added)

    def finish(self, response: Key) -> None:
        """Forget the steps of a response that is recorded: they are not needed any more."""
        self._file.forget(self._unfinished.pop(response, ()))

    def sort(self, rank: Callable[[Key], int]) -> None:
        """Put the steps in the order of their responses, of each in that of their names; ends the writing.

        Args:
            rank: The place of a response.

        Raises:
            RunFolderError: The file cannot be read or written.
        """
        self.close()
        if not self._path.exists():
            return
        whole = RecordFile(self._path, Step.from_json, step_key)
        whole.open(keep=lambda _: True)
        whole.sort(lambda key: (rank(key[:2]), _place(key)))
        whole.close()

    def sync(self) -> None:
        """Hand what was appended to the disk, from any thread."""
        self._file.sync()

    def close(self) -> None:
        """Hand everything to the disk and stop writing.

        Raises:
            RunFolderError: The disk does not take it.
        """
        self._file.close()
        self._open = False


def step_key(step: Step) -> StepKey:
    """Return what tells a step from all others of the run."""
    return step.key


def _place(key: StepKey) -> tuple[str, int, int, str]:
    """Return what puts the steps of a response in order: write-2 before write-10, then their attempts."""
    name, _, number = key[2].rpartition("-")
    of_many = bool(name) and number.isascii() and number.isdigit()
    return (name, int(number), *key[3:]) if of_many else (key[2], 0, *key[3:])
