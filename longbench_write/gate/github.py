"""A verdict as GitHub annotations: one line a finding that did not pass, as workflow commands."""

from __future__ import annotations

from longbench_write.gate.gate import Outcome, Verdict
from longbench_write.render.ci_log import escape_command, escape_command_property


def workflow_commands(verdict: Verdict) -> list[str]:
    """Return annotations: an error for a regression and where it cannot be told, a notice if all passed."""
    model = verdict.b.name
    titles = {Outcome.REGRESSED: f"{model} regressed", Outcome.UNDECIDED: f"{model} cannot be judged"}
    lines = [
        f"::error title={escape_command_property(titles[finding.outcome])}::{escape_command(finding.message)}"
        for finding in verdict.findings
        if finding.outcome in titles
    ]
    warnings = [f"::warning::{escape_command(note)}" for note in verdict.notes if note.startswith("WARNING")]
    if not lines:
        said = "; ".join(finding.message for finding in verdict.findings)
        lines.append(
            f"::notice title={escape_command_property(f'{model} has not regressed')}::{escape_command(said)}"
        )
    return lines + warnings
