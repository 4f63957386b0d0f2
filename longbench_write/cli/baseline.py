"""`lbw-eval baseline RUN -o FILE.json`: keep a run's scores, without its texts, to check others against."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def baseline(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output", "-o", metavar="FILE", help="The file to write, such as baselines/model.json."
        ),
    ],
) -> None:
    """Keep a run's scores as a baseline.

    The file holds scores and hashes by prompt and no texts: small, the same for the same run, and made for
        git.
    """
    from longbench_write.compare.baseline import baseline_text
    from longbench_write.compare.loading import load_scores
    from longbench_write.files.output import write_file

    scores = load_scores(run)
    write_file(output, baseline_text(scores))
    prompts = len(scores.lengths)
    print(f"{output}: {len(scores.responses)} responses to {prompts} prompts", file=sys.stderr)  # noqa: T201
    counts = scores.counts or {}
    scored = counts.get("judged" if scores.is_judged else "generated", 0)
    if scored < counts.get("owed", 0):
        print(  # noqa: T201
            f"only {scored} of {counts['owed']} responses have a score: what is not there is not checked",
            file=sys.stderr,
        )
