"""`lbw-eval import PATH` and `lbw-eval export RUN`: runs from and for other harnesses and tools."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from longbench_write.cli.files import output_file, write_file
from longbench_write.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from longbench_write.exchange.exporting import Scored

FORMATS = ("reference", "csv", "parquet", "jsonl", "model-card")


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
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder for runs.")] = Path("results"),
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

    done = import_run(
        path, harness, out=out, suite=suite, model=model, judge_label=judge_label, samples=samples
    )
    for note in done.notes:
        _note(note)
    show(done.summary, done.path, as_json=as_json)


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run folder that has been scored.")],
    to: Annotated[str, typer.Option(metavar="|".join(FORMATS), help="The format.")],
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
    from longbench_write.exchange.exporting import Scored, jsonl, scores_table, write_parquet
    from longbench_write.exchange.model_card import model_card

    if to not in FORMATS:
        raise unknown_name("--to", to, FORMATS)
    scored = Scored.load(run)
    if to == "reference":
        _export_reference(scored, output)
    elif to == "parquet":
        if output is None:
            raise UsageError("parquet is no text: name a file with -o")
        with output_file(output) as file:
            write_parquet(scored, file)
        _note(f"written: {output}")
    elif to == "model-card":
        if output is not None and output.exists():
            raise UsageError(f"{output} is there already: leave -o out and paste the block into it")
        _put(model_card(scored.summary, scored.run.manifest.get("note", "")), output)
    else:
        _put(jsonl(scored) if to == "jsonl" else scores_table(scored), output)


def _export_reference(scored: Scored, folder: Path | None) -> None:
    from longbench_write.exchange import reference
    from longbench_write.exchange.exporting import reference_judged, reference_predictions

    if empty := scored.summary.counts["empty"]:
        _note(f"{empty} responses are empty; the reference's eval_length.py ends in an error on those")
    if folder is None:
        _put(reference_predictions(scored), None)
        return
    _put(reference_predictions(scored), folder / reference.PREDICTIONS)
    if scored.summary.judge:
        _put(reference_judged(scored), folder / reference.JUDGED)


def _note(text: str) -> None:
    from longbench_write.cli.terminal import printable

    print(printable(text), file=sys.stderr)  # noqa: T201


def _put(parts: Iterable[str], path: Path | None) -> None:
    """Write text to a file, put in its place when it is whole, or to stdout.

    Raises:
        UsageError: The file cannot be written.
    """
    if path is None:
        sys.stdout.writelines(parts)
        return
    write_file(path, parts)
    _note(f"written: {path}")
