"""Which responses fell furthest, and where the report shows them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from longbench_write.compare.metrics import MetricInRange
from longbench_write.compare.scores import RunScores
from longbench_write.gate.gate import Outcome, Verdict


@dataclass(frozen=True)
class FallenResponse:
    """A response of the run that is worse than the baseline's to its prompt.

    Attributes:
        id: The prompt's.
        sample: The response's number.
        metric: In which it fell furthest, as a share of the metric's range.
        a: The baseline's value, the mean over its samples of the prompt.
        b: The response's.
        anchor: Where a page of `lbw-eval report` shows it, with the `#`.
    """

    id: str
    sample: int
    metric: MetricInRange
    a: float
    b: float
    anchor: str


def fallen_responses(verdict: Verdict, count: int) -> list[FallenResponse]:
    """Return the responses that fell furthest, the furthest first; each once, in one metric.

    They are looked for in the metrics that regressed, where none did in all that were checked, and each fall
    is measured by the range of its metric. A run that is known by its summary alone has none.

    Args:
        verdict: The verdict.
        count: How many at most.
    """
    checked = [finding for finding in verdict.findings if finding.metric.metric.width]
    regressed = [finding for finding in checked if finding.outcome is Outcome.REGRESSED]
    found: dict[tuple[str, int], tuple[float, FallenResponse]] = {}
    for finding in regressed or checked:
        metric = finding.metric
        before = metric.per_prompt(verdict.a)
        for key, response in verdict.b.responses.items():
            value = metric.value(response)
            if value is None or response.id not in before:
                continue
            fall = _fall(metric, before[response.id], value)
            if fall > max(1e-9, found[key][0] if key in found else 0.0):
                anchor = _anchor(verdict.b, response.id, response.sample)
                worst = FallenResponse(*key, metric, before[response.id], value, anchor)
                found[key] = fall, worst
    ranked = sorted(found.items(), key=lambda item: (-item[1][0], item[0]))
    return [worst for _, (_, worst) in ranked[:count]]


def _fall(metric: MetricInRange, before: float, after: float) -> float:
    """Return how much worse a value is, as a share of the metric's range."""
    change = before - after if metric.metric.higher_is_better else after - before
    return change / (metric.metric.width or 1.0)


def _anchor(run: RunScores, prompt: str, sample: int) -> str:
    """Return a sample's address on the report's page, which knows a run by its folder or its model.

    One of several pooled runs stands on the page as itself, with its own numbers.
    """
    for member, samples in zip(run.members, run.run_samples, strict=False):
        if sample < samples:
            return _anchor(member, prompt, sample)
        sample -= samples
    name = run.source.name if run.source.is_dir() else run.name
    return "#" + urlencode({"run": name, "id": prompt, "sample": sample})
