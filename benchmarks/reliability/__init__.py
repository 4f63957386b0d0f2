"""Reliability of a run under faults, crashes and full disks; shares servers and trials with the tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent.parent / "tests"))
