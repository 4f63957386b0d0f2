"""How a run's progress is displayed: a live line on a terminal, a plain one every so often elsewhere."""

from __future__ import annotations

import gc
import sys
import time
from collections import Counter
from typing import IO, TYPE_CHECKING

from longbench_write.errors import UsageError, shorten
from longbench_write.metrics.length import length_score
from longbench_write.records import Judgement, Prediction, Step
from longbench_write.render.ci_log import escape_ci_log
from longbench_write.runs.observer import Observer
from longbench_write.runs.work import Judging, Work
from longbench_write.writers.estimate import expected_requests

if TYPE_CHECKING:
    from rich.status import Status
    from rich.text import Text

PLAIN_EVERY = 10.0
"""Seconds between two plain lines."""


def make_progress(mode: str) -> ProgressDisplay:
    """Make the display for a mode: auto, rich, plain or none.

    Raises:
        UsageError: There is no such mode.
    """
    if mode == "auto":
        mode = "rich" if sys.stderr.isatty() else "plain"
    match mode:
        case "rich":
            return RichDisplay()
        case "plain":
            return PlainDisplay()
        case "none":
            return ProgressDisplay()
    raise UsageError(f"--progress {mode!r}: choose auto, rich, plain or none")


class ProgressDisplay(Observer):
    """Keeps count, and prints notes alone."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self.stream = stream or sys.stderr
        self._work: Work | None = None
        self._generated = self._asked = self._judged = self._failed = 0
        self._scores = 0.0
        self._words = self._written = 0
        self._steps = self._expected = 0
        self._started = 0.0
        self._told = time.monotonic()
        self._reasons: Counter[str] = Counter()

    def note(self, text: str) -> None:
        """Print a sentence."""
        print(escape_ci_log(text), file=self.stream, flush=True)

    def begin(self, work: Work) -> None:
        """Start counting, and keep what is loaded by now out of garbage collection until `end`."""
        gc.freeze()  # a collection would look through all of it, which takes 0.1 s, while answers wait
        self._work = work
        self._words = sum(prompt.length or 0 for prompt, _ in work.to_write)
        self._started = time.monotonic()
        if work.answered:
            self.note(f"resuming {work.folder}: {work.answered} responses are there already")
        else:
            self.note(f"recording in {work.folder}")

    def downloading(self, done: int, total: int | None) -> None:
        """Show how far a download is."""
        if time.monotonic() - self._told >= PLAIN_EVERY:
            self._told = time.monotonic()
            self.note(download_line(done, total))

    def predicted(self, record: Prediction) -> None:
        """Count a response."""
        self._written += record.length or 0
        if record.response_length is None:
            self._failed += 1
            self._note_failure(record.id, f"no response: {record.error.message if record.error else ''}")
        else:
            self._generated += 1
            if record.length is not None:
                self._asked += 1
                self._scores += length_score(record.length, record.response_length)

    def stepped(self, step: Step) -> None:
        """Count a step."""
        if not self._steps and self._work and self._work.writing:
            writer = self._work.writing.writer
            self._expected = sum(len(expected_requests(writer, prompt)) for prompt, _ in self._work.to_write)
        self._steps += 1

    def judged(self, record: Judgement) -> None:
        """Count a judgement."""
        self._judged += 1
        if record.error:
            self._note_failure(record.id, f"not judged: {record.error.message}")

    def _note_failure(self, name: str, reason: str) -> None:
        """Print why there is no result, once for all that have the same reason."""
        self._reasons[reason] += 1
        if self._reasons[reason] == 1:
            self.note(f"{name}: {reason}")

    def end(self) -> None:
        """Print how often each reason was given that was given again."""
        gc.unfreeze()  # the model is closed next, and may be in reference cycles
        for reason, number in self._reasons.items():
            if number > 1:
                self.note(f"{number - 1} more: {reason}")
        self._reasons.clear()

    @property
    def has_kept(self) -> bool:
        """Whether anything has been recorded."""
        return bool(self._generated or self._judged)

    def kept(self) -> str:
        """Return what has been recorded, for the last line of an interrupted run."""
        if self._work is None:
            return "nothing had been asked yet"
        return (
            f"{self._generated} new responses and {self._judged} judgements are kept in {self._work.folder}"
        )

    def line(self) -> str:
        """Return the state in one line."""
        work = self._work
        if work is None:
            return ""
        parts = []
        meters = {id(part.backend.meter): part.backend.meter for part in (work.writing, work.judging) if part}
        if work.writing:
            parts.append(f"written {self._generated + self._failed}/{len(work.to_write)}")
            if self._steps:
                parts.append(f"steps {self._steps} of about {max(self._steps, self._expected)}")
        if work.judging:
            parts.append(f"judged {self._judged}/{self._to_judge(work, work.judging)}")
        seconds = time.monotonic() - self._started
        if pieces := sum(meter.pieces for meter in meters.values()):
            parts.append(f"{pieces / max(seconds, 1e-9):,.0f} tokens/s")
        if self._asked:
            parts.append(f"S_l {self._scores / self._asked:.1f}")
        if self._failed:
            parts.append(f"failed {self._failed}")
        parts.append(f"in flight {sum(meter.in_flight for meter in meters.values())}{_slowed(work)}")
        if retries := sum(meter.retries for meter in meters.values()):
            last = next(meter.last_retry for meter in meters.values() if meter.last_retry)
            parts.append(f"retries {retries} ({shorten(last, 50)})")
        left = self._left(work, seconds)
        return " · ".join(
            [*parts, f"{clock(seconds)} gone", *([f"about {clock(left)} left"] if left else [])]
        )

    def _to_judge(self, work: Work, judging: Judging) -> int:
        """Count the judgements that this session sets out to get."""
        return (len(work.to_write) - self._failed) * judging.repeats + len(work.to_judge)

    def _left(self, work: Work, seconds: float) -> float:
        """Estimate the seconds left from the part that is done: words to write, responses to judge."""
        to_judge = self._to_judge(work, work.judging) if work.judging else 0
        left = [
            seconds * (all_of_it / done - 1)
            for all_of_it, done in ((self._words, self._written), (to_judge, self._judged))
            if done
        ]
        return max(left, default=0.0)


class PlainDisplay(ProgressDisplay):
    """A line every few seconds, for logs."""

    def tick(self) -> None:
        """Print the line if it is time."""
        if time.monotonic() - self._told >= PLAIN_EVERY:
            self._told = time.monotonic()
            self.note(self.line())

    def end(self) -> None:
        """Print the last state."""
        super().end()
        self.note(self.line())


class RichDisplay(ProgressDisplay):
    """A line that renews itself, under the notes."""

    def __init__(self) -> None:
        from rich.console import Console

        super().__init__()
        self._console = Console(stderr=True, highlight=False)
        self._status: Status | None = None

    def note(self, text: str) -> None:
        """Print a sentence above the line."""
        self._console.print(escape_ci_log(text), markup=False, style="dim", soft_wrap=True)

    def downloading(self, done: int, total: int | None) -> None:
        """Show how far a download is."""
        if self._status is None:
            self._status = self._console.status("")
            self._status.start()
        self._status.update(_plain(download_line(done, total)))

    def begin(self, work: Work) -> None:
        """Show the line."""
        from rich.live import Live
        from rich.spinner import Spinner

        if self._status is not None:
            self._status.stop()
        super().begin(work)
        self._spinner = Spinner("dots", text=_plain(self.line()))
        self._live = Live(self._spinner, console=self._console, refresh_per_second=8)
        self._live.start()

    def predicted(self, record: Prediction) -> None:
        """Count a response, and show it."""
        super().predicted(record)
        self.tick()

    def judged(self, record: Judgement) -> None:
        """Count a judgement, and show it."""
        super().judged(record)
        self.tick()

    def tick(self) -> None:
        """Renew the line."""
        self._spinner.update(text=_plain(self.line()))

    def end(self) -> None:
        """Leave the last state on the screen."""
        super().end()
        self.tick()
        self._live.stop()


def _plain(line: str) -> Text:
    """Return a line for rich: what a server said of a fault is no markup and no command to the terminal."""
    from rich.text import Text

    return Text(escape_ci_log(line))


def _slowed(work: Work) -> str:
    """Say how many requests may be in flight, where servers are given fewer than was asked for."""
    parts = [part for part in (work.writing, work.judging) if part]
    asked = sum(part.concurrency for part in parts)
    allowed = sum(min(part.concurrency, part.backend.meter.allowed or part.concurrency) for part in parts)
    return f" (slowed to {allowed} of {asked})" if allowed < asked else ""


def download_line(done: int, total: int | None) -> str:
    """Say how far a download is, with a bar where the total is known."""
    if total is None:
        return f"downloading the model: {done / 1e6:.0f} MB"
    filled = round(24 * min(done / total, 1.0))
    return (
        f"downloading the model {'━' * filled}{'╌' * (24 - filled)} {done / 1e6:.0f} of {total / 1e6:.0f} MB"
    )


def clock(seconds: float) -> str:
    """Format seconds as h:mm:ss or m:ss."""
    whole = round(seconds)
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"
