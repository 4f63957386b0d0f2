"""A verdict in one line: what became of the run, and how small a drop could have been found."""

from __future__ import annotations

from longbench_write.gate.gate import Finding, Outcome, Verdict

_OUTCOMES = {
    Outcome.PASSED: "{} has not regressed",
    Outcome.REGRESSED: "{} regressed",
    Outcome.UNDECIDED: "{}: cannot tell whether it regressed",
}


def headline(verdict: Verdict) -> str:
    """Return the first line of a verdict: its outcome, and the detectable drop of each gated metric."""
    outcome = _OUTCOMES[verdict.outcome].format(verdict.b.name)
    gated = [finding for finding in verdict.findings if finding.is_gated]
    if not any(finding.difference.n > 1 for finding in gated):
        return f"{outcome}; on so few prompts no drop could have been found"
    numbers = {finding.difference.n for finding in gated}
    named = ", ".join(_drop(finding, among=len(numbers) > 1) for finding in gated)
    where = f"over {numbers.pop()} prompts a" if len(numbers) == 1 else "a"
    return f"{outcome}; {where} true drop of {named} is found with a chance of 80%"


def detectable_drops(verdict: Verdict) -> dict[str, float | None]:
    """Return the minimum detectable drop by gated metric, in its unit; None where that is not known."""
    return {str(finding.metric): finding.detectable for finding in verdict.findings if finding.is_gated}


def _drop(finding: Finding, *, among: bool) -> str:
    """Return the drop in a metric that is found, with its prompts where metrics have different numbers."""
    over = f" over {finding.difference.n} prompts" if among else ""
    unit = finding.metric.metric.unit
    if finding.detectable is not None:
        return f"{finding.detectable:.1f} {unit} in {finding.metric}{over}"
    if finding.difference.n > 1:  # every prompt changed alike
        return f"{finding.allowed or 0:g} {unit} in {finding.metric}{over}"
    return f"no size in {finding.metric}{over}"
