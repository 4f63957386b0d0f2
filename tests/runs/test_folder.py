import json
import multiprocessing
import os

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from samples import MANIFEST, failed, judged, predicted

from longbench_write.errors import RunFolderError, UsageError
from longbench_write.runs.folder import digest, folder_name, next_run, run_parent, runs_named
from longbench_write.runs.lock import lock_run_folder
from longbench_write.runs.store import RunWriter, load_run
from longbench_write.suites.suite import load_suite


def test_plain_model_names_stay_readable():
    assert folder_name("THUDM/LongWriter-glm4-9b") == "THUDM--LongWriter-glm4-9b"
    assert folder_name("gpt-4.1") == "gpt-4.1"
    assert folder_name("local/smollm2-135m") == "local--smollm2-135m"


@given(st.text(st.characters(exclude_categories=()), max_size=400))
def test_any_model_name_is_one_folder_inside(name):
    folder = folder_name(name)
    assert 0 < len(folder) <= 80
    assert folder.isascii()
    assert not set(folder) & set('/\\:*?"<>| \0')
    assert not folder.startswith(".")


@pytest.mark.parametrize("name", ["con", "NUL", "aux.txt", "Com7", "lpt1.tar.gz"])
def test_no_folder_is_a_device(name):
    assert folder_name(name).partition(".")[0] not in (name, name.partition(".")[0])


@pytest.mark.parametrize(
    "names", [("a/b", "a--b"), ("a b", "a_b"), ("../a", "a"), ("/m", "m"), ("x" * 90, "x" * 91)]
)
def test_different_names_have_different_folders(names):
    one, other = map(folder_name, names)
    assert one != other


def test_the_folder_comes_from_what_would_change_the_numbers():
    assert digest({"seed": 1, "model": "m"}) == digest({"model": "m", "seed": 1}) != digest({"seed": 2})


def test_a_version_is_no_part_of_a_suites_folder(tmp_path):
    suite = load_suite("lbw-open")
    assert run_parent(tmp_path, "m", suite.name) == tmp_path / "m" / "lbw-open"


def test_runs_that_were_begun_afresh_stand_beside_each_other(tmp_path):
    def begin(folder):
        folder.mkdir(exist_ok=True)
        (folder / "run.yaml").touch()

    assert runs_named(tmp_path, "r") == []
    assert next_run(tmp_path, "r") == tmp_path / "r"
    (tmp_path / "r").mkdir()
    assert next_run(tmp_path, "r") == tmp_path / "r"
    begin(tmp_path / "r")
    assert next_run(tmp_path, "r") == tmp_path / "r-2"
    begin(tmp_path / "r-2")
    assert runs_named(tmp_path, "r") == [tmp_path / "r", tmp_path / "r-2"]
    (tmp_path / "r" / "run.yaml").unlink()
    assert runs_named(tmp_path, "r") == [tmp_path / "r-2"]
    assert next_run(tmp_path, "r") == tmp_path / "r-3"


def record(path, predictions=(), judgements=(), **options):
    with RunWriter(path, **{"writing": True, "judge": None} | options) as run:
        for prediction in predictions:
            run.predictions.append(prediction)
        for judgement in judgements:
            run.judgements.append(judgement)
        return run.predictions.identities(), run.judgements.identities()


def test_what_failed_in_passing_is_owed_again_and_the_rest_stays(tmp_path):
    record(tmp_path, [predicted("a"), failed("b", kind="timeout", final=False), failed("c")])
    assert record(tmp_path)[0] == [("a", 0), ("c", 0)]
    assert record(tmp_path, retry_failed=True)[0] == [("a", 0)]


def test_the_failed_judgements_of_other_judges_stay(tmp_path):
    record(tmp_path, [predicted("a")], [judged("a", scores=None, judge=name) for name in "jk"])
    assert len(record(tmp_path, judge="j")[1]) == 2
    assert record(tmp_path, judge="j", retry_failed=True)[1] == [("k", "a", 0, 0)]


def test_sorting_follows_the_suite(tmp_path):
    with RunWriter(tmp_path, writing=True, judge=None) as run:
        for name in ("c", "a", "b"):
            run.predictions.append(predicted(name))
            run.judgements.append(judged(name))
        run.sort([("b", 0), ("c", 0), ("a", 0)])
        assert [key[0] for key in run.predictions.identities()] == ["b", "c", "a"]
        assert [key[1] for key in run.judgements.identities()] == ["b", "c", "a"]


def _hold(path, held, done):
    with lock_run_folder(path):
        held.set()
        done.wait()


def test_the_second_process_is_told_who_has_locked_the_folder(tmp_path):
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    child = context.Process(target=_hold, args=(tmp_path, held, done))
    child.start()
    try:
        assert held.wait(60)
        with pytest.raises(RunFolderError, match=f"process {child.pid}"), lock_run_folder(tmp_path):
            pass
        child.kill()
        child.join()
        with lock_run_folder(tmp_path):
            pass
    finally:
        child.kill()
        child.join()
        child.close()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--out"), lock_run_folder(tmp_path / "file" / "run"):
        pass


def test_reading_what_is_no_run_folder(tmp_path):
    with pytest.raises(UsageError, match=r"has no run\.yaml"):
        load_run(tmp_path)
    (tmp_path / "run.yaml").write_text("!!python/object/apply:os.getcwd []")
    with pytest.raises(RunFolderError, match="cannot be read"):
        load_run(tmp_path)
    for text in ("[1]", "{}", "model: m"):
        (tmp_path / "run.yaml").write_text(text)
        with pytest.raises(RunFolderError, match=r"run\.yaml"):
            load_run(tmp_path)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        *(({name: []}, name) for name in MANIFEST),
        *(({"owed": -1}, "owed"), ({"owed": "4"}, "owed"), ({"judges": {"j": None}}, "judges")),
        ({"schema": 2}, "schema 2, this version reads schema 1"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_one_sentence_that_says_why(tmp_path, changes, named):
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(MANIFEST))
    assert load_run(tmp_path).manifest == MANIFEST
    (tmp_path / "run.yaml").write_text(yaml.safe_dump(MANIFEST | changes))
    with pytest.raises(RunFolderError, match=rf"run\.yaml.*{named}"):
        load_run(tmp_path)


def test_keys_that_are_not_known_stay_in_a_file_that_is_written_anew(tmp_path):
    path = tmp_path / "predictions.jsonl"
    gone, *kept = [
        record.to_json() | {"from_2030": [record.id]}
        for record in (failed("c", kind="timeout", final=False), predicted("b"), predicted("a"))
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in (gone, *kept)))
    said = judged("b").to_json() | {"from_2030": 1}
    (tmp_path / "judgements.jsonl").write_text(
        json.dumps(said) + "\n" + json.dumps(judged("z").to_json()) + "\n"
    )
    with RunWriter(tmp_path, writing=True, judge="j") as run:
        run.sort([("a", 0), ("b", 0)])
    assert [json.loads(line) for line in path.read_text().splitlines()] == kept[::-1]
    assert json.loads((tmp_path / "judgements.jsonl").read_text()) == said


def test_records_that_cannot_be_read_are_one_sentence(tmp_path):
    (tmp_path / "judgements.jsonl").mkdir()
    with pytest.raises(RunFolderError, match=r"cannot read .*judgements\.jsonl"):
        record(tmp_path)


def test_only_judging_leaves_the_predictions_alone(tmp_path):
    record(tmp_path, [failed("a", kind="timeout", final=False), failed("b")])
    assert len(record(tmp_path, writing=False, retry_failed=True)[0]) == 2


def test_a_judgement_without_its_response_is_taken_out(tmp_path):
    record(tmp_path, [predicted("a")], [judged("a"), judged("b")])
    assert record(tmp_path)[1] == [("j", "a", 0, 0)]


def test_an_unreadable_record_leaves_the_folder_free(tmp_path):
    (tmp_path / "predictions.jsonl").write_text("{]\n")
    for _ in range(2):
        with pytest.raises(RunFolderError, match=r"predictions\.jsonl:1"):
            record(tmp_path)
    assert os.listdir(tmp_path).count(".lock.holder") == 0
