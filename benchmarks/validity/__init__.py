"""Whether what is said around the means holds: intervals, the gate, ranks, gaps, flags; by simulation."""

import os
import sys
from pathlib import Path

# One process, one thread: small products of matrices are slower on many, far so beside other work.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
