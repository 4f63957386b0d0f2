"""What the package logs, such as the beginning of a download, on stderr."""

from __future__ import annotations

import logging
import sys

from longbench_write.render.ci_log import escape_ci_log


class _Shown(logging.Handler):
    """Shows messages on what stderr is at the time."""

    def emit(self, record: logging.LogRecord) -> None:
        """Show a message as one line."""
        print(f"lbw-eval: {escape_ci_log(record.getMessage())}", file=sys.stderr)  # noqa: T201


def show_log() -> None:
    """Show from now on what this package logs."""
    logger = logging.getLogger("longbench_write")
    logger.setLevel(logging.INFO)
    if not any(isinstance(handler, _Shown) for handler in logger.handlers):
        logger.addHandler(_Shown())
