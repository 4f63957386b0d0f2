import json
import random
import re

import pytest
import yaml
from samples import MANIFEST, judged

from longbench_write.cli.agree import agree
from longbench_write.errors import UsageError
from longbench_write.metrics.quality import DIMENSIONS


def put_judgements(folder, judgements):
    (folder / "run.yaml").write_text(yaml.safe_dump(MANIFEST))
    lines = [json.dumps(judgement.to_json()) for judgement in judgements]
    (folder / "judgements.jsonl").write_text("\n".join(lines) + "\n")
    return folder


@pytest.fixture
def run(tmp_path):
    rng = random.Random(1)
    rows = {f"p-{n}": [rng.randint(2, 5) for _ in DIMENSIONS] for n in range(12)}
    strict = [judged(name, scores=[score - 1 for score in row], judge="strict") for name, row in rows.items()]
    mild = [judged(name, scores=row, judge="mild", repeat=n) for name, row in rows.items() for n in range(2)]
    return put_judgements(tmp_path, [*strict, *mild])


def test_two_judges_side_by_side(run, capsys):
    agree(run)
    shown = capsys.readouterr().out
    assert re.search(r"\bstrict\b.*\bmild\b.*\b12\b", shown)
    assert all(name in shown for name in DIMENSIONS)
    assert "-1.00 to -1.00" in shown
    assert re.findall(r"^\W*(strict|mild)\b.*\b12\b", shown, re.MULTILINE)[-1] == "mild"


def test_json_has_every_pair_and_each_judges_consistency(run, capsys):
    agree(run, judges="strict,mild", as_json=True)
    found = json.loads(capsys.readouterr().out)
    (pair,) = found["pairs"]
    assert (pair["first"], pair["second"]) == ("strict", "mild")
    assert [row["dimension"] for row in pair["rows"]] == [*DIMENSIONS, "overall"]
    assert pair["rows"][-1]["offset"] == 1.0
    (own,) = found["consistency"]
    assert (own["judge"], own["n"], own["exact"]) == ("mild", 12, 1.0)


def test_people_stand_beside_each_judge(run, capsys, tmp_path):
    people = tmp_path / "people.csv"
    people.write_text("id,sample," + ",".join(DIMENSIONS) + "\np-1,0,3,3,3,3,3,3\np-2,0,4,4,4,4,4,4\n")
    agree(run, human=people)
    shown = capsys.readouterr().out
    for judge in ("mild", "strict"):
        assert re.search(rf"\b{judge}\b.*\bhuman\b.*\b2\b", shown)


def test_a_figure_is_drawn_in_the_format_that_its_name_says(run, capsys, tmp_path):
    agree(run, plot=tmp_path / "agreement.svg")
    assert (tmp_path / "agreement.svg").read_bytes().startswith(b"<?xml")
    with pytest.raises(UsageError, match=r"\.jpg"):
        agree(run, plot=tmp_path / "agreement.jpg")


def test_what_cannot_be_compared_is_one_sentence(run, tmp_path):
    with pytest.raises(UsageError, match="strict"):
        agree(run, judges="strct")
    with pytest.raises(UsageError, match="--human"):
        agree(run, judges="strict")
