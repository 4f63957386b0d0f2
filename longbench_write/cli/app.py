"""The command `lbw-eval`: puts the commands together and turns errors into one sentence and an exit code."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

import typer

from longbench_write.cli import (
    agree,
    assets,
    baseline,
    check,
    compare,
    contamination,
    doctor,
    exchange,
    judge,
    judges,
    leaderboard,
    plot,
    power,
    report,
    run,
    score,
    suites,
    writers,
)
from longbench_write.cli.asked_outputs import TellingCommand
from longbench_write.cli.foreseen import FORESEEN, in_words
from longbench_write.cli.signals import SIGNALS
from longbench_write.cli.terminal import end_output, prepared_streams, read_words_as_utf8
from longbench_write.errors import LbwError, UsageError
from longbench_write.render.ci_log import escape_ci_log

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.callback(invoke_without_command=True)(run.run)
app.command()(judge.judge)
app.command()(score.score)
app.command()(agree.agree)
app.command()(leaderboard.leaderboard)
app.command()(plot.plot)
app.command()(report.report)
app.command()(compare.compare)
app.command()(contamination.contamination)
app.command(cls=TellingCommand)(check.check)
app.command()(baseline.baseline)
app.command()(power.power)
app.command("import")(exchange.import_)
app.command()(exchange.export)
app.add_typer(suites.app, name="suites")
app.command()(judges.judges)
app.command()(writers.writers)
app.command()(doctor.doctor)
app.add_typer(assets.app, name="assets")


def main() -> None:
    """Run the command line.

    Exit codes: 0 done; 1 the run could not be finished; 2 wrong usage or configuration;
    3 `check` found a regression; 130 interrupted.
    """
    read_words_as_utf8()
    with SIGNALS.listening(), prepared_streams():
        words = sys.argv[1:]
        try:
            try:
                app([word for word in words if word != "--debug"])
            finally:
                end_output()
        except FORESEEN as error:
            if "--debug" in words:
                raise
            _end(in_words(error))
        except KeyboardInterrupt:  # outside of typer, which ends with the same
            sys.exit(130)
        except ValueError as error:
            if "--debug" in words or not str(error).startswith("embedded null"):  # Python's of such paths
                raise
            _end(UsageError("a path contains a null character: give one without"))
        finally:
            # Python's last collection would look through all objects, a third of a second: it skips these.
            gc.freeze()


def _end(error: LbwError) -> NoReturn:
    print(f"lbw-eval: {escape_ci_log(str(error))}", file=sys.stderr)  # noqa: T201
    sys.exit(error.exit_code)
