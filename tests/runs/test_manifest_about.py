"""What run.yaml says of the open model, and what is said where it has changed since."""

from datetime import date

import pytest
from samples import MANIFEST

from longbench_write.runs.manifest import begun_on, with_about
from longbench_write.runs.shapes import check_manifest

ABOUT = {
    "sampling": {"temperature": 0.5, "top_k": 50},
    "stop": [3],
    "prompt_format": {"template_sha256": "a" * 64, "date": "2026-11-03", "sample": "[INST]{prompt}[/INST]"},
    "engine": {"name": "vllm", "context": 4096},
}


def test_it_is_kept_beside_everything_else():
    told = []
    assert with_about(MANIFEST, ABOUT, told.append) == MANIFEST | ABOUT
    assert with_about(MANIFEST | ABOUT, ABOUT, told.append) == MANIFEST | ABOUT
    assert with_about(MANIFEST | ABOUT, {}, told.append) == MANIFEST | ABOUT
    asked = MANIFEST | {"sampling": {"temperature": 0.5}}
    assert with_about(asked, ABOUT, told.append) == MANIFEST | ABOUT
    assert told == []


def test_a_resumed_run_that_is_asked_otherwise_says_so():
    told = []
    changed = {"sampling": {"temperature": 0.5, "top_k": 0}, "engine": {"name": "vllm", "context": 8192}}
    assert with_about(MANIFEST | ABOUT, changed, told.append)["sampling"]["top_k"] == 0
    (text,) = told
    assert "sampling" in text
    assert "--fresh" in text


def test_the_day_that_a_run_was_begun_on_is_found():
    assert begun_on(MANIFEST | ABOUT) == date(2026, 11, 3)
    assert begun_on(MANIFEST) is begun_on(MANIFEST | {"prompt_format": {"date": None}}) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sampling", 5),
        ("stop", "eos"),
        ("prompt_format", "chat"),
        ("prompt_format", {"date": "yesterday"}),
        ("prompt_format", {"template_sha256": 5}),
        ("engine", {"commit": 5}),
    ],
)
def test_a_value_that_cannot_be_is_named(name, value):
    check_manifest(MANIFEST | ABOUT)
    with pytest.raises(ValueError, match=name):
        check_manifest(MANIFEST | {name: value})
