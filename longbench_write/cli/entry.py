"""`lbw-eval` itself: listens to signals before it reads the commands, which takes longest.

As process 1 of a container it would never hear of a signal that comes before anybody listens.
"""

from __future__ import annotations

import sys

from longbench_write.cli.signals import SIGNALS


def main() -> None:
    """Run the command line; exit codes as `longbench_write.cli.app.main` has them."""
    with SIGNALS.listening():
        try:
            from longbench_write.cli import app

            app.main()
        except KeyboardInterrupt:  # while it was read
            sys.exit(130)
