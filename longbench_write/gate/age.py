"""A verdict on responses that are too old for one."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from longbench_write.gate.gate import Outcome, Verdict


def held_to_age(verdict: Verdict, hours: float, now: datetime) -> Verdict:
    """Return the verdict; where the run's oldest response is older than allowed, nothing can be told.

    That holds for a regression too: it would be one of another night.

    Args:
        verdict: The verdict on the responses as they are.
        hours: How old they may be.
        now: The time, UTC.
    """
    made = verdict.fresh.run
    if made is None:
        why = "nobody knows when its responses were made"
    elif now - made.first > timedelta(hours=hours):
        age = (now - made.first) / timedelta(hours=1)
        why = f"its oldest response was made {made.first:%Y-%m-%d %H:%M} UTC, {age:.1f} hours ago"
    else:
        return verdict
    findings = [
        replace(
            finding,
            outcome=Outcome.UNDECIDED,
            message=f"{finding.metric} cannot be told: {why} (--max-age allows {hours:g}); "
            f"of these responses, {finding.message}",
        )
        for finding in verdict.findings
    ]
    return replace(verdict, findings=findings)
