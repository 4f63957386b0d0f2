"""An export: the ids of a run's responses, a line each."""

import sys


def write(run, path):
    text = "".join(f"{prediction.id}\n" for prediction in run.run.predictions)
    if path is None:
        sys.stdout.write(text)
    else:
        path.write_text(text, encoding="utf-8")
