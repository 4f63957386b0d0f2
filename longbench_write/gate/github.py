"""A verdict as a GitHub annotation: one workflow command, since GitHub shows ten of a step."""

from __future__ import annotations

from longbench_write.gate.gate import Outcome, Verdict
from longbench_write.render.ci_log import escape_command, escape_command_property

_TITLES = {
    Outcome.PASSED: "{} has not regressed",
    Outcome.REGRESSED: "{} regressed",
    Outcome.UNDECIDED: "{} cannot be judged",
}


def annotation(verdict: Verdict) -> str:
    """Return the annotation: an error unless all passed; then a notice, or a warning where a note is one.

    Its title names model and suite, since GitHub lists those of all jobs together. It lists the findings that
    did not pass, all of them where all did, and what a reader must know, such as settings that differ.
    """
    shown = [finding for finding in verdict.findings if finding.outcome is not Outcome.PASSED]
    lines = [*(finding.message for finding in shown or verdict.findings), *verdict.told]
    warned = any(note.startswith("WARNING") for note in verdict.told)
    level = "error" if shown else "warning" if warned else "notice"
    about = verdict.b.info or verdict.a.info
    subject = f"{verdict.b.name} on {about.suite}" if about else verdict.b.name
    return _command(level, _TITLES[verdict.outcome].format(subject), "\n".join(lines))


def error_annotation(run: str, message: str) -> str:
    """Return the annotation where there is no verdict.

    Args:
        run: What was to be checked.
        message: Why there is none.
    """
    return _command("error", f"{run} was not checked", message)


def _command(level: str, title: str, message: str) -> str:
    return f"::{level} title={escape_command_property(title)}::{escape_command(message)}"
