"""What a scores.csv has of some metrics, without its other columns."""

from __future__ import annotations

import math

import pytest
from added_metrics import SENTENCES
from samples import RUN_INFO, judged, predicted

from longbench_write.errors import RunFolderError
from longbench_write.metrics.catalogue import BUILT_IN
from longbench_write.metrics.length import S_L
from longbench_write.metrics.quality import S_Q
from longbench_write.scoring.scoring import summarise
from longbench_write.scoring.table import read_rows, read_values, scores_csv


@pytest.fixture
def table(tmp_path):
    """Three responses, one without a judgement; ids that a spreadsheet would calculate."""
    predictions = [
        predicted("=a", response_length=80),
        predicted("=a", 1, response_length=70),
        predicted("b", response_length=90),
    ]
    metrics = (*BUILT_IN, SENTENCES)
    _, rows = summarise(
        RUN_INFO, predictions, [judged("=a"), judged("=a", 1)], owed=3, seconds=1.0, metrics=metrics
    )
    path = tmp_path / "scores.csv"
    path.write_text(scores_csv(rows, metrics), encoding="utf-8")
    return path


def read(path, metrics):
    """What it gives by response and metric, without what is NaN."""
    keys, values, suspect = read_values(path, metrics)
    assert suspect.tolist() == [False] * len(keys)
    return {
        key: {m.name: value for m, value in zip(metrics, line, strict=True) if not math.isnan(value)}
        for key, line in zip(keys, values.tolist(), strict=True)
    }


def test_the_values_are_those_of_the_rows(table):
    metrics = (S_L, S_Q, SENTENCES)
    rows = read_rows(table, (*BUILT_IN, SENTENCES))
    expected = {
        (row.id, row.sample): {m.name: row.values[m.name] for m in metrics if m.name in row.values}
        for row in rows
    }
    assert read(table, metrics) == expected
    assert set(expected["b", 0]) == {"S_l", SENTENCES.name}


def test_a_metric_without_a_column_has_no_value(table):
    table.write_text(table.read_text().replace(SENTENCES.name, "Other"))
    assert set(read(table, (S_L, SENTENCES))["b", 0]) == {"S_l"}


def spoilt(text, fault):
    lines = text.splitlines(keepends=True)
    match fault:
        case "empty":
            return ""
        case "no column":
            return text.replace("S_q", "quality")
        case "a line twice":
            return "".join([*lines, lines[-1]])
        case "a short line":
            return "".join([*lines, "c,0\n"])
        case "no number":
            return text.replace(",90,", ",90,x", 1)
        case "out of range":
            return text.replace("\nb,0,", "\nb,-1,")
        case _:
            return text + "\x00"


@pytest.mark.parametrize(
    "fault",
    ["empty", "no column", "a line twice", "a short line", "no number", "out of range", "a null"],
)
def test_a_damaged_table_is_refused_with_what_makes_it_anew(table, fault):
    table.write_text(spoilt(table.read_text(), fault))
    with pytest.raises(RunFolderError, match=r"scores\.csv.*lbw-eval score"):
        read_values(table, (S_L, S_Q))
