"""The leaderboard as a pandas frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from longbench_write.compare.ranking import Ranking, ranked_metrics
from longbench_write.metrics.catalogue import BESIDE, merged
from longbench_write.metrics.quality import CRITERIA
from longbench_write.scoring.frames import figures

if TYPE_CHECKING:
    import pandas as pd


def leaderboard_frame(rankings: Iterable[Ranking]) -> pd.DataFrame:
    """Return a frame with a row a run, the best of each block first.

    Its columns are `block` (what the runs that may be compared share), `best_rank` and `worst_rank`, `label`,
    `model`, `writer`, `suite`, `judge`, `complete` and `path`, the numbers of responses (`n`, `judged`), then
    each metric with the ends of its 95% interval (`NAME_low`, `NAME_high`). A run without the score that is
    ranked by has no rank.
    """
    import pandas as pd

    placed = [(ranking, run) for ranking in rankings for run in ranking.runs]
    summaries = [run.entry.summary for _, run in placed]
    metrics = merged(ranked_metrics(summaries), CRITERIA, BESIDE)
    frame = pd.DataFrame(
        [
            {
                "block": ranking.title,
                "best_rank": run.best,
                "worst_rank": run.worst,
                "label": run.entry.label,
                "model": summary.model,
                "writer": summary.writer,
                "suite": summary.suite,
                "judge": summary.judge,
                "complete": run.complete,
                "path": run.entry.path,
                **figures(summary.overall, metrics),
            }
            for (ranking, run), summary in zip(placed, summaries, strict=True)
        ]
    )
    return frame.astype({"best_rank": "Int64", "worst_rank": "Int64"})
