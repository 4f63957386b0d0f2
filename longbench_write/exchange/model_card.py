"""The results of a run for a model's card: the metadata block that hubs read, and a table for people.

The block's keys are those of `model-index` in Hugging Face's model card specification.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from longbench_write._version import __version__
from longbench_write.metrics.base import Metric
from longbench_write.metrics.catalogue import HEADLINES, has_own_keys
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_BAR, S_Q
from longbench_write.render.markdown import escape_markdown
from longbench_write.scoring.figures import interval_in, value_in
from longbench_write.scoring.server_lines import server_lines
from longbench_write.scoring.summary import Summary

_PAPER = "https://arxiv.org/abs/2408.07055"
_NAMES = {
    S_BAR.name: "S̄, the mean of S_l and S_q",
    S_L.name: "S_l, length score",
    S_Q.name: "S_q, quality score by an LLM judge",
}
"""What a reader of a hub is told of each headline; another metric goes by its symbol."""


def model_card(summary: Summary, note: str = "") -> Iterator[str]:
    """Yield the text of a model card with these results alone.

    Args:
        summary: The run's.
        note: What must be known of it; "" for nothing.
    """
    import yaml

    block = {"model-index": [{"name": summary.model, "results": [_result(summary)]}]}
    text = yaml.safe_dump(block, sort_keys=False, allow_unicode=True, width=110)
    yield f"---\n{text}---\n\n"
    yield from (f"{line}\n" for line in _section(summary, note))


def _result(summary: Summary) -> dict[str, Any]:
    known = {"samples": summary.samples, "judge": summary.judge, "judge_sha256": summary.judge_sha256}
    args = {
        "suite_sha256": summary.suite_sha256,
        "prompts": summary.prompts["n"],
        **known,
        **summary.settings,
    }
    metrics = [
        {"type": metric.name, "name": _NAMES.get(metric.name, metric.symbol), "value": round(value, 2)}
        for metric in (*HEADLINES, *summary.others)
        if (value := value_in(summary.overall, metric)) is not None
    ]
    return {
        "task": {"type": "text-generation", "name": "Long-form writing"},
        "dataset": {
            "name": summary.suite,
            "type": summary.suite,
            "revision": summary.suite_version,
            "args": {name: value for name, value in args.items() if value is not None},
        },
        "metrics": metrics,
        "source": {"name": f"LongBench-Write, by longbench-write {__version__}", "url": _PAPER},
    }


def _section(summary: Summary, note: str) -> Iterator[str]:
    columns = {"all": summary.overall} | {row["range"]: row for row in summary.by_length}
    yield f"## {escape_markdown(summary.suite)}"
    yield ""
    yield f"| | {' | '.join(map(escape_markdown, columns))} |"
    yield f"|---|{'---:|' * len(columns)}"
    for metric in (*HEADLINES, *summary.others):
        values = [_number(value_in(column, metric)) for column in columns.values()]
        label = metric.label if has_own_keys(metric.name) else escape_markdown(metric.label)
        yield f"| {label} | {' | '.join(values)} |"
    shown = S_BAR if interval_in(summary.overall, S_BAR) else S_L
    ends = [_interval(column, shown) for column in columns.values()]
    yield f"| 95% interval of {shown.symbol} | {' | '.join(ends)} |"
    yield ""
    counts = summary.counts
    judge = f"judged by {escape_markdown(summary.judge)}" if summary.judge else "not judged"
    yield (
        f"{counts['generated']} of {counts['owed']} responses, {counts['judged']} of them judged; {judge}; "
        f"required words in the columns, 0 to 100, by [LongBench-Write]({_PAPER})."
    )
    for text in (*filter(None, (summary.judge_note, note)), *server_lines(summary)):
        yield ""
        yield escape_markdown(text)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _interval(column: Mapping[str, Any], metric: Metric) -> str:
    found = interval_in(column, metric)
    return f"{found[0]:.1f} to {found[1]:.1f}" if found else ""
