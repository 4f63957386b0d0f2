"""`lbw-eval import PATH` and `lbw-eval export RUN`: runs from and for other harnesses and tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from longbench_write.cli.options import DEFAULT_WAIT, Wait
from longbench_write.cli.terminal import note


def import_(
    path: Annotated[
        Path, typer.Argument(metavar="PATH", help="The folder or file that the other harness wrote.")
    ],
    harness: Annotated[
        str, typer.Option("--from", metavar="reference|evalscope", help="Whose files they are.")
    ],
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="The model; otherwise the name of its folder.")
    ] = None,
    suite: Annotated[
        str, typer.Option(metavar="NAME|PATH", help="The suite whose prompts the responses answer.")
    ] = "longbench-write",
    judge_label: Annotated[
        str | None, typer.Option(metavar="NAME", help="What the imported judge is called in the run.")
    ] = None,
    samples: Annotated[int, typer.Option(metavar="N", min=1, help="Responses that a prompt may have.")] = 1,
    writer: Annotated[
        str,
        typer.Option(metavar="NAME", help="How the responses were written, such as agentwrite."),
    ] = "direct",
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for runs.")] = Path("results"),
    wait: Wait = DEFAULT_WAIT,
    as_json: Annotated[bool, typer.Option("--json", help="Print summary.json instead of the table.")] = False,
) -> None:
    """Make a run of the files that another harness wrote.

    reference: the folder models/NAME of THUDM/LongWriter's scripts with pred.jsonl and, if it was judged,
    judge.jsonl; or one of these files. evalscope: the folder OUTPUTS/NAME of its LongBench-Write task.
    The run can be scored, judged and compared like any other. Responses that stand beside prompts which they
    do not answer are counted and warned of.
    """
    from longbench_write.cli.table import show
    from longbench_write.exchange.importing import import_run
    from longbench_write.runs.turn import Turn

    done = import_run(
        path,
        harness,
        out=out,
        suite=suite,
        model=model,
        judge_label=judge_label,
        samples=samples,
        writer=writer,
        turn=Turn(wait, note),
    )
    for text in done.notes:
        note(text)
    show(done.summary, done.path, as_json=as_json)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that has been scored.")],
    to: Annotated[str, typer.Option(metavar="reference|csv|parquet|jsonl|model-card", help="The format.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="PATH", help="File, or for reference folder, instead of stdout."
        ),
    ] = None,
) -> None:
    """Write a run's results for other tools.

    reference: pred.jsonl and judge.jsonl as THUDM/LongWriter's scripts have them, into the folder of -o; on
    stdout pred.jsonl alone. csv: the scores. jsonl, parquet: prompt, response, scores, analysis and flags of
    each response. model-card: the metadata block of a Hugging Face model card and a table.
    In a csv, a text that a spreadsheet would calculate stands behind an apostrophe.
    """
    from longbench_write.exchange.exporting import Scored
    from longbench_write.exchange.exports import EXPORTS

    write = EXPORTS.get(to)
    for text in write(Scored.load(run), output) or ():
        note(text)
    if output is not None:
        note(f"written: {output}")
