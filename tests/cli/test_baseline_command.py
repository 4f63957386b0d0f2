"""`lbw-eval baseline`: made from complete runs, and moved along a chain."""

from __future__ import annotations

import json

import pytest
import yaml
from gate_samples import Wrote, write_run, wrote_well
from samples import MANIFEST

from longbench_write.compare.loading import load_scores
from longbench_write.gate.checking import check_run
from longbench_write.gate.moving import POLICY

CARD = {"repeats": 3, "tries": 4}


def night(folder, number, *, share=1.0, **lacking):
    """A night's run; `lacking` says of prompts by number what is not there."""
    wrote = wrote_well(24, share=share, seed=number)
    for name, what in lacking.items():
        prompt = f"p-{int(name[1:]):03d}"
        wrote[prompt] = Wrote(wrote[prompt].length, None if what == "text" else wrote[prompt].words, None)
    start = f"2026-11-{number:02d}T03:00:00+00:00"
    run = write_run(folder / f"night-{number}", wrote, start=start)
    entry = {"config_sha256": "7" * 64, "card": CARD}
    manifest = MANIFEST | {"judge": "j", "judges": {"j": entry}, "versions": {"vllm": "0.30.0"}}
    (run / "run.yaml").write_text(yaml.safe_dump(manifest))
    return run


def values_of(path):
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_baseline_says_where_it_comes_from(lbw_eval, tmp_path):
    assert lbw_eval("baseline", night(tmp_path, 1), "-o", "main.json")[0] == 0
    values = values_of(tmp_path / "main.json")
    assert (values["schema"], values["runs"], values["parent"], values["incomplete"]) == (2, 1, None, False)
    assert values["first"] == values["digest"] == load_scores(tmp_path / "main.json").origin.digest
    assert values["made"] == ["2026-11-01T03:00:00+00:00"]
    assert values["judge"] == {"label": "j", "config_sha256": "7" * 64, **CARD}
    assert values["versions"] == {"vllm": "0.30.0"}


@pytest.mark.parametrize("what", ["text", "judgement"])
def test_a_run_that_lacks_more_than_may_be_missing_is_refused(lbw_eval, tmp_path, what):
    run = night(tmp_path, 1, n0=what, n1=what)
    code, _, err = lbw_eval("baseline", run, "-o", "main.json")
    assert (code, (tmp_path / "main.json").exists()) == (1, False)
    assert "2 of 24" in err
    assert "--incomplete" in err
    assert lbw_eval("baseline", run, "-o", "main.json", "--max-missing", "10")[0] == 0
    assert values_of(tmp_path / "main.json")["incomplete"] is False
    assert lbw_eval("baseline", run, "-o", "main.json", "--incomplete")[0] == 0
    assert values_of(tmp_path / "main.json")["incomplete"] is True
    assert lbw_eval("baseline", night(tmp_path, 2, n0=what), "-o", "main.json")[0] == 0


def test_what_may_be_missing_is_read_in_lbw_gate_yaml(lbw_eval, tmp_path):
    run = night(tmp_path, 1, n0="text", n1="text")
    (tmp_path / "lbw-gate.yaml").write_text("max-missing: 10\n")
    assert lbw_eval("baseline", run, "-o", "main.json")[0] == 0
    (tmp_path / "lbw-gate.yaml").write_text("max-missing: ten\n")
    assert lbw_eval("baseline", run, "-o", "main.json")[0] == 2


def test_check_holds_both_sides_to_what_may_be_missing(lbw_eval, tmp_path):
    poor, full = night(tmp_path, 1, n0="judgement", n1="judgement"), night(tmp_path, 2)
    lbw_eval("baseline", poor, "-o", "main.json", "--incomplete")
    for baseline in (poor, "main.json"):
        assert lbw_eval("check", full, "--baseline", baseline)[0] == 1
        assert lbw_eval("check", full, "--baseline", baseline, "--metric", "S_l")[0] == 0
        assert lbw_eval("check", full, "--baseline", baseline, "--max-missing", "10")[0] == 0
        half = night(tmp_path, 3, share=0.5)
        assert lbw_eval("check", half, "--baseline", baseline)[0] == 3


def test_a_moved_baseline_knows_its_parent_and_the_first_of_its_chain(lbw_eval, tmp_path):
    path = tmp_path / "main.json"
    lbw_eval("baseline", night(tmp_path, 1), "-o", path)
    first = values_of(path)
    code, _, err = lbw_eval("baseline", "--update", path, night(tmp_path, 2))
    assert code == 0
    assert POLICY in err
    second = values_of(path)
    assert lbw_eval("baseline", "--update", path, night(tmp_path, 3))[0] == 0
    third = values_of(path)
    assert [second["parent"], third["parent"]] == [first["digest"], second["digest"]]
    assert {second["first"], third["first"]} == {first["digest"]}
    assert third["first_figures"] == first["first_figures"]
    notes = check_run(night(tmp_path, 4), {"baseline": path}).notes
    (note,) = [note for note in notes if "first baseline" in note]
    assert first["digest"][:12] in note
    assert "2026-11-01" in note


def test_a_baseline_of_several_runs_is_moved_to_several_and_fewer_are_said(lbw_eval, tmp_path):
    path = tmp_path / "main.json"
    runs = [night(tmp_path, number) for number in range(1, 6)]
    assert lbw_eval("baseline", *runs[:3], "-o", path)[0] == 0
    assert (values_of(path)["runs"], values_of(path)["judge"]["repeats"]) == (3, 3)
    _, _, err = lbw_eval("baseline", "--update", path, *runs[2:])
    assert "it was of" not in err
    assert len(values_of(path)["made"]) == 3
    _, _, err = lbw_eval("baseline", "--update", path, runs[0])
    assert "it was of 3 runs and is of 1 now" in err
    assert values_of(path)["runs"] == 1
    assert lbw_eval("check", *runs[:2], "--baseline", path)[0] == 0
    for number, is_said in ((1, False), (2, True), (5, False)):
        _, _, err = lbw_eval("baseline", *runs[:number], "-o", path)
        assert ("5 or more" in err) == is_said


@pytest.mark.parametrize(
    ("number", "options", "code"),
    [(2, {"share": 0.6}, 3), (2, {"n0": "text", "n1": "text"}, 1), (1, {}, 0)],
    ids=["regressed", "incomplete", "its own"],
)
def test_a_baseline_stays_where_the_run_is_no_better_base(lbw_eval, tmp_path, number, options, code):
    path = tmp_path / "main.json"
    lbw_eval("baseline", night(tmp_path, 1), "-o", path)
    before = path.read_bytes()
    run, other = night(tmp_path, number, **options), tmp_path / "next.json"
    assert lbw_eval("baseline", "--update", path, run)[0] == code
    assert lbw_eval("baseline", "--update", path, run, "-o", other)[0] == code
    assert path.read_bytes() == before
    assert other.exists() == (code == 0)
    assert code or other.read_bytes() == before


def test_an_incomplete_baseline_is_moved_on_to_a_complete_run_where_that_is_said(lbw_eval, tmp_path):
    path = tmp_path / "main.json"
    lbw_eval("baseline", night(tmp_path, 1, n0="text", n1="text"), "-o", path, "--incomplete")
    full = night(tmp_path, 2)
    assert lbw_eval("baseline", "--update", path, full)[0] == 1
    assert lbw_eval("baseline", "--update", path, full, "--incomplete", "-o", "next.json")[0] == 0
    values = values_of(tmp_path / "next.json")
    assert (values["incomplete"], values["parent"]) == (False, values_of(path)["digest"])


def test_what_cannot_be_moved_is_wrong_usage(lbw_eval, tmp_path):
    run = night(tmp_path, 1)
    assert lbw_eval("baseline", run)[0] == 2
    assert lbw_eval("baseline", "--update", "nowhere.json", run)[0] == 2
    assert lbw_eval("baseline", "--update", run / "summary.json", run)[0] == 2
    other = write_run(tmp_path / "other", wrote_well(30), suite_sha256="1" * 64)
    lbw_eval("baseline", other, "-o", "other.json")
    assert lbw_eval("baseline", "--update", "other.json", run)[0] == 2


def test_a_baseline_of_0_1_0_can_be_the_first_of_a_chain(lbw_eval, tmp_path):
    path = tmp_path / "main.json"
    lbw_eval("baseline", night(tmp_path, 1), "-o", path)
    later = ("digest", "first", "first_made", "first_figures", "parent", "runs", "made", "judge", "versions")
    old = {key: value for key, value in values_of(path).items() if key not in (*later, "incomplete")}
    path.write_text(json.dumps(old | {"schema": 1}))
    digest = load_scores(path).origin.digest
    assert lbw_eval("baseline", "--update", path, night(tmp_path, 2))[0] == 0
    values = values_of(path)
    assert values["parent"] == values["first"] == digest
    assert values["first_made"] == "2026-11-01T03:00:00+00:00"
    assert load_scores(path).origin.first == digest
