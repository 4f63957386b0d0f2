"""Run a command that ends when whoever wants it is gone, and leaves no files then.

This file is a script, for a process of its own: FOLDER COMMAND... with a pipe as its input. When that ends,
because it was closed or because the process at its other end was killed, so does the command, and its folder
is removed. Otherwise its exit code is the command's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading


def main() -> None:
    """Run the command of `sys.argv`."""
    folder, *command = sys.argv[1:]
    unwanted = threading.Event()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as child:

        def watch() -> None:
            os.read(0, 1)  # returns at the end of the input alone: nothing is ever written there
            unwanted.set()
            child.kill()

        threading.Thread(target=watch, daemon=True).start()
        code = child.wait()
    if unwanted.is_set():
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(code & 0xFF)  # without waiting for the thread that reads


if __name__ == "__main__":
    main()
