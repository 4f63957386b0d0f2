"""The first line of a verdict, and every way in which the command cannot tell: exit code 1."""

from __future__ import annotations

import json
import re
import sys

import numpy as np
import pytest
from gate_samples import Wrote, made, write_run, wrote_well

from longbench_write.cli.app import main
from longbench_write.compare.metrics import parse_metric
from longbench_write.compare.rule import Rule
from longbench_write.gate.document import verdict_json
from longbench_write.gate.gate import check
from longbench_write.gate.headline import headline
from longbench_write.gate.markdown import verdict_markdown

S_L = parse_metric("S_l")


def noisy(mean=60.0, *, prompts=40, seed=0):
    return made(np.random.default_rng(seed).normal(mean, 4, (prompts, 1)))


@pytest.mark.parametrize(("mean", "options"), [(60, {}), (50, {}), (60, {"non_inferiority": 0.01})])
def test_the_first_line_names_the_detectable_drop_whatever_the_verdict(mean, options):
    verdict = check(noisy(), noisy(mean, seed=1), Rule(**options))
    (finding,) = verdict.findings
    shown = f"{finding.detectable:.1f} points in S_l"
    said = headline(verdict)
    assert "\n" not in said
    assert shown in said
    assert re.findall(r"\b40 prompts", said)
    assert shown in verdict_markdown(verdict).splitlines()[0].replace("\\", "")
    values = json.loads(verdict_json(verdict))
    assert (values["headline"], values["detectable_drop"]) == (said, {"S_l": finding.detectable})


def test_where_every_prompt_changed_alike_the_allowed_drop_is_found():
    run = noisy()
    assert "1.5 points in S_l" in headline(check(run, run, Rule(drop=1.5)))


def test_metrics_of_other_numbers_of_prompts_are_told_with_theirs():
    run = noisy()
    said = headline(check(run, run, Rule(metrics=(S_L, parse_metric("S_l[0,500)")))))
    assert re.findall(r"over (\d+) prompts", said) == ["40", "10"]


def test_one_prompt_could_have_shown_nothing():
    assert not re.search(r"\d", headline(check(made([[60]]), made([[60]]))))


# Every way that ends with 1


def failed(wrote, *names):
    return wrote | {name: Wrote(wrote[name].length, None) for name in names}


def unjudged(wrote):
    return {name: Wrote(each.length, each.words, None) for name, each in wrote.items()}


FULL = wrote_well(120)
NAMES = sorted(FULL)
WAYS = {
    "every response failed": (failed(FULL, *NAMES), ()),
    "no prompt in common": ({f"q-{name}": each for name, each in FULL.items()}, ()),
    "one prompt": ({NAMES[0]: FULL[NAMES[0]]}, ()),
    "too many failed": (failed(FULL, *NAMES[:7]), ("--metric", "S_l")),
    "beyond chance": (failed(FULL, *NAMES[:6]), ("--metric", "Clarity")),
    "nobody judged": (unjudged(FULL), ()),
    "a floor without a value": (FULL, ("--metric", "S_l", "--min", "S_l>20000=5")),
    "a gated metric without a value": (FULL, ("--metric", "S_l>20000")),
    "a floor that a failure may break": (failed(FULL, NAMES[0]), ("--metric", "S_l", "--min", "S_l=96.5")),
    "a margin that is not shown": (wrote_well(120, seed=1), ("--non-inferiority", "0.1")),
}


@pytest.fixture(scope="module")
def baseline(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("baseline") / "a", FULL)


@pytest.mark.parametrize("way", WAYS)
def test_what_cannot_be_told_exits_with_1(way, baseline, tmp_path, monkeypatch, capsys):
    wrote, words = WAYS[way]
    sha = "4" * 64 if wrote.keys() == FULL.keys() else "6" * 64
    run = write_run(tmp_path / "b", wrote, prompts={"n": len(wrote), "sha256": sha})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(
        sys, "argv", ["lbw-eval", "check", str(run), "--baseline", str(baseline), *words, "--json"]
    )
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1
