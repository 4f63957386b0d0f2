"""What `lbw-eval check` gives beside its exit code, which none of it may change or outlive."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from longbench_write.cli.figure import check_format, is_format, save_figure
from longbench_write.cli.foreseen import FORESEEN, in_words
from longbench_write.cli.terminal import note, whole_output
from longbench_write.errors import LbwError, UsageError
from longbench_write.files.output import append_file, is_same_file, remove_earlier, write_file
from longbench_write.render.ci_log import escape_ci_log
from longbench_write.render.markdown import cut_markdown
from longbench_write.render.terminal import print_output
from longbench_write.render.text import printable

if TYPE_CHECKING:
    from longbench_write.gate.fallen import FallenResponse
    from longbench_write.gate.gate import Verdict

SUMMARY_LIMIT = 1024 * 1024
"""Bytes of a step's summary, all that its commands write; GitHub shows nothing of a larger one."""

_FILES = ("junit", "markdown", "plot")
_CUT = "*The rest is left out: GitHub shows no summary of over 1 MiB. `--markdown FILE` has all of it.*"


@dataclass(frozen=True)
class VerdictOutputs:
    """The outputs that were asked for.

    Attributes:
        run: What is checked, as the user named it.
        as_json: JSON on stdout instead of tables.
        junit, markdown, plot: Files, where they are asked for.
        github: An annotation on stderr, and a part of the step's summary.
        worst: How many of the responses that fell furthest are named.
        inputs: Files that the verdict is made of, in whose place no output is put.
    """

    run: Path
    as_json: bool
    junit: Path | None
    markdown: Path | None
    plot: Path | None
    github: bool
    worst: int
    inputs: Sequence[Path] = ()

    @contextmanager
    def telling_errors(self) -> Iterator[None]:
        """Have every output say why there is no verdict, where the block ends by an exception.

        Files of an earlier command are removed first: however this one ends, none is taken for its own.
        """
        safe = self.safe()
        safe.remove_earlier()
        try:
            for option in _FILES:
                if (path := getattr(self, option)) != getattr(safe, option):
                    raise UsageError(
                        f"--{option} {path}: another option names this file too; choose another path"
                    )
            if self.plot:
                check_format(self.plot)
            yield
        except (Exception, KeyboardInterrupt) as error:
            safe.tell(*_said(error))
            raise

    def safe(self) -> VerdictOutputs:
        """Return these without the files that are inputs, or another output before them."""
        found = replace(self, junit=None, markdown=None, plot=None)
        taken = list(self.inputs)
        for option in _FILES:
            path = getattr(self, option)
            if path and not any(is_same_file(path, other) for other in taken):
                found = replace(found, **{option: path})
                taken.append(path)
        return found

    def remove_earlier(self) -> None:
        """Remove the files of an earlier command."""
        plot = self.plot if self.plot and is_format(self.plot) else None
        for path in (self.junit, self.markdown, plot):
            if path:
                remove_earlier(path)

    def write(self, verdict: Verdict) -> int:
        """Write the verdict to each output; say of one that fails that it did, and go on.

        Returns:
            The exit code: the verdict's; where that is 0, the one of an output that failed.
        """
        from longbench_write.gate.document import verdict_json
        from longbench_write.gate.fallen import fallen_responses
        from longbench_write.gate.following import append_verdict
        from longbench_write.gate.github import annotation
        from longbench_write.gate.junit import junit_xml
        from longbench_write.gate.markdown import verdict_markdown

        worst = fallen_responses(verdict, self.worst)
        if self.as_json:
            codes = [_attempt("stdout", lambda: _print(verdict_json(verdict, worst)))]
        else:
            codes = [_attempt("stdout", lambda: _show(verdict, worst))]
        codes += self._files(
            lambda: junit_xml(verdict, worst),
            lambda: verdict_markdown(verdict, worst),
            lambda: annotation(verdict),
        )
        if plot := self.plot:
            codes.append(_attempt(str(plot), lambda: _draw(plot, verdict)))
        if followed := verdict.history:
            codes.append(_attempt(str(followed.path), lambda: append_verdict(verdict)))
        return verdict.exit_code or max(codes)

    def tell(self, said: str, code: int) -> None:
        """Have every output say why there is no verdict.

        Args:
            said: Why.
            code: The exit code.
        """
        from longbench_write.gate.document import error_json
        from longbench_write.gate.github import error_annotation
        from longbench_write.gate.junit import junit_error
        from longbench_write.gate.markdown import error_markdown

        run = str(self.run)
        if self.as_json:
            _attempt("stdout", lambda: _print(error_json(said, code)))
        self._files(
            lambda: junit_error(run, said),
            lambda: error_markdown(run, said),
            lambda: error_annotation(run, said),
        )
        if (plot := self.plot) and is_format(plot):
            _attempt(str(plot), lambda: _draw_error(plot, run, said))

    def _files(
        self, junit: Callable[[], str], markdown: Callable[[], str], annotation: Callable[[], str]
    ) -> list[int]:
        """Write what was asked for of these texts; return each output's exit code, 0 where it is written."""
        codes = []
        for path, text in ((self.junit, junit), (self.markdown, markdown)):
            if path:
                codes.append(_attempt(str(path), partial(_fill, path, text)))
        if self.github:
            codes.append(_attempt("annotation", lambda: _annotate(annotation())))
            if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
                codes.append(_attempt(summary, lambda: _append_to_summary(Path(summary), markdown())))
        return codes


def _said(error: BaseException) -> tuple[str, int]:
    """Return what is told of an exception, and the exit code that it ends with."""
    if isinstance(error, FORESEEN):
        told = in_words(error)
        return str(told), told.exit_code
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return said, 130 if isinstance(error, KeyboardInterrupt) else 1


def _attempt(output: str, write: Callable[[], None]) -> int:
    """Write an output; where that fails say so, and return the exit code that it would end with, else 0."""
    try:
        write()
    except FORESEEN as error:
        told = in_words(error)
        note(f"lbw-eval: {escape_ci_log(str(told))}")
        return told.exit_code
    except Exception:  # a fault of this program, which is to be seen; the verdict stands all the same
        traceback.print_exc()
        note(f"lbw-eval: {escape_ci_log(output)} was not written")
        return LbwError.exit_code
    return 0


def _fill(path: Path, text: Callable[[], str]) -> None:
    write_file(path, text())


def _print(text: str) -> None:
    with whole_output():
        print_output([text])


def _annotate(command: str) -> None:
    print(printable(command), file=sys.stderr)  # noqa: T201


def _append_to_summary(path: Path, text: str) -> None:
    room = SUMMARY_LIMIT - (path.stat().st_size if path.exists() else 0)
    fitting = cut_markdown(text, room, _CUT)
    if fitting:
        append_file(path, fitting)
    if fitting != text:
        note(f"lbw-eval: {path} has no room for the whole verdict: GitHub shows no summary of over 1 MiB")


def _draw_error(path: Path, run: str, message: str) -> None:
    from longbench_write.plots.differences import error_figure

    save_figure(path, lambda: error_figure(run, message))


def _draw(path: Path, verdict: Verdict) -> None:
    from longbench_write.plots.differences import differences_figure

    save_figure(path, lambda: differences_figure(verdict.a, verdict.b, verdict.differences))


def _show(verdict: Verdict, worst: Sequence[FallenResponse]) -> None:
    """Print the verdict in tables."""
    from longbench_write.cli.difference_table import console, show_differences, show_lines, show_sides
    from longbench_write.gate.headline import headline
    from longbench_write.gate.layout import FINDING_HEADS, WORST_HEADS, finding_line, worst_line

    target = console()
    with target.capture() as text:
        for line in (headline(verdict), verdict.fresh.sentence()):
            target.print(escape_ci_log(line), markup=False, soft_wrap=True)
        show_sides(target, verdict.a, verdict.b, verdict.notes)
        show_differences(target, verdict.differences)
        if worst:
            fallen = [(worst_line(each), False) for each in worst]
            show_lines(target, "responses that fell furthest", WORST_HEADS, fallen)
        lines = [(finding_line(finding), finding.outcome != "passed") for finding in verdict.findings]
        show_lines(target, "", FINDING_HEADS, lines)
        target.print("detectable drop: the smallest true drop found with a chance of 80%", soft_wrap=True)
        for finding in verdict.findings:
            line = escape_ci_log(f"{finding.outcome}: {finding.message}")
            target.print(line, markup=False, soft_wrap=True)
    with whole_output():
        sys.stdout.write(text.get())
