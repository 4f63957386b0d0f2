"""The command `lbw-eval`: the run and the other commands; turns errors into one sentence and an exit code."""

from __future__ import annotations

import gc
import sys
from typing import NoReturn

import typer

from longbench_write.cli import run
from longbench_write.cli.deferred import DeferredGroup
from longbench_write.cli.foreseen import FORESEEN, in_words
from longbench_write.cli.signals import SIGNALS
from longbench_write.cli.terminal import end_output, prepared_streams, read_words_as_utf8
from longbench_write.errors import LbwError, UsageError
from longbench_write.render.ci_log import escape_ci_log

app = typer.Typer(
    cls=DeferredGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)
app.callback(invoke_without_command=True)(run.run)


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
