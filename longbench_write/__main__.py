"""`python -m longbench_write` is `lbw-eval`."""

from __future__ import annotations

from longbench_write.cli.entry import main

if __name__ == "__main__":
    main()
