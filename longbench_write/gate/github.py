"""A verdict as GitHub annotations: one line a finding that did not pass, as workflow commands."""

from __future__ import annotations

from longbench_write.gate.gate import Outcome, Verdict


def workflow_commands(verdict: Verdict) -> list[str]:
    """Annotations: an error for a regression and for what cannot be told, a notice if all passed."""
    model = verdict.b.name
    titles = {Outcome.REGRESSED: f"{model} regressed", Outcome.UNDECIDED: f"{model} cannot be judged"}
    lines = [
        f"::error title={_property(titles[finding.outcome])}::{_data(finding.message)}"
        for finding in verdict.findings
        if finding.outcome in titles
    ]
    warnings = [f"::warning::{_data(note)}" for note in verdict.notes if note.startswith("WARNING")]
    if not lines:
        said = "; ".join(finding.message for finding in verdict.findings)
        lines.append(f"::notice title={_property(f'{model} has not regressed')}::{_data(said)}")
    return lines + warnings


def _data(text: str) -> str:
    """A command's message, escaped as the runner reads it; nothing in it can start another command."""
    for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        text = text.replace(char, code)
    return text


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
