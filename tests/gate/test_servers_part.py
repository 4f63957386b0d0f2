"""What servers cut, spoilt or added is not held against the model, and a fall beside it is."""

from __future__ import annotations

import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from gate_samples import made, write_run, wrote_well

from longbench_write.compare.baseline import baseline_text
from longbench_write.compare.comparison import compare
from longbench_write.compare.loading import load_scores
from longbench_write.gate.document import comparison_json, verdict_json
from longbench_write.gate.gate import Outcome, check
from longbench_write.gate.github import annotation
from longbench_write.gate.junit import junit_xml
from longbench_write.gate.markdown import comparison_markdown, verdict_markdown
from longbench_write.testing import assert_no_regression

SERVING = {
    "models": {"m": 120},
    "providers": {},
    "judge_models": {},
    "fallbacks": 0,
    "cache_hits": 0,
    "identical_samples": 0,
    "reasoning_not_off": 0,
    "added_prompt_tokens": None,
}


def ceiling(tokens=4096, **changes):
    known = {"role": "writer", "kind": "context", "tokens": tokens, "count": 5, "source": "cut"}
    return known | changes


def scores(shift=0.0, *, prompts=60, samples=1, seed=0, ceilings=(), **changes):
    values = np.random.default_rng(seed).normal(85 - shift, 4, (prompts, samples)).clip(0, 100)
    run = made(values)
    ceilings = None if ceilings is None else list(ceilings)
    return replace(run, ceilings=ceilings, serving=None if ceilings is None else SERVING, **changes)


def with_part(run, share, *, to=None, every=1, **marks):
    """The run with these marks on a share of its prompts, and an S_l of `to` there."""
    chosen = sorted(run.lengths)[: round(share * len(run.lengths))]
    responses = {}
    for key, each in run.responses.items():
        if each.id in chosen and each.sample % every == 0:
            values = each.values if to is None else {**each.values, "S_l": to}
            each = replace(each, values=values, **marks)
        responses[key] = each
    return replace(run, responses=responses)


def s_l(verdict):
    return next(each for each in verdict.findings if str(each.metric) == "S_l")


def cut(run, share=0.4, to=20.0, by="server"):
    return with_part(run, share, to=to, cut_by=by)


def suspect(run, share=0.4, to=20.0, every=1):
    return with_part(run, share, to=to, every=every, suspect=frozenset({"tokens"}))


# Ceilings


def test_a_fall_of_prompts_that_the_server_cut_cannot_be_told():
    a, b = scores(), cut(scores(seed=1, ceilings=[ceiling()]))
    found = check(a, b)
    assert (found.outcome, found.exit_code) == (Outcome.UNDECIDED, 1)
    assert s_l(found).difference.drop > 20
    assert s_l(found).without["ceilings"].n == 36
    assert "4,096 tokens" in s_l(found).message


def test_a_fall_that_remains_is_a_regression():
    a, b = scores(), cut(scores(20, seed=1, ceilings=[ceiling()]))
    found = check(a, b)
    assert found.exit_code == 3
    assert 10 < s_l(found).without["ceilings"].drop < s_l(found).difference.drop


@pytest.mark.parametrize("tokens", [4096, 4094])
def test_beside_equal_ceilings_a_fall_is_the_models(tokens):
    a, b = scores(ceilings=[ceiling(tokens)]), cut(scores(seed=1, ceilings=[ceiling()]))
    found = check(a, b)
    assert found.exit_code == 3
    assert s_l(found).without == {}


@pytest.mark.parametrize("of_baseline", [[], [ceiling(2048)], [ceiling(kind="output")]])
def test_ceilings_differ_in_kind_and_tokens(of_baseline):
    a, b = scores(ceilings=of_baseline), cut(scores(seed=1, ceilings=[ceiling()]))
    assert check(a, b).exit_code == 1


def test_a_ceiling_of_the_judges_server_cuts_no_response():
    a, b = scores(), cut(scores(seed=1, ceilings=[ceiling(role="judge")]))
    assert check(a, b).exit_code == 3


@pytest.mark.parametrize("sides", [(None, [ceiling()]), ([ceiling()], None), (None, None)])
def test_where_one_side_does_not_know_its_ceilings_nothing_is_claimed(sides):
    a, b = (scores(seed=seed, ceilings=ceilings) for seed, ceilings in enumerate(sides))
    found = check(a, cut(b))
    assert found.exit_code == 3
    assert s_l(found).without == {}
    assert any("unknown" in note for note in found.notes) is (sides != (None, None))


@pytest.mark.parametrize(("source", "code"), [("refused", 1), ("models", 1), ("cut", 3)])
def test_a_limit_that_the_server_had_lowered_is_the_servers_cut(source, code):
    a, b = scores(), cut(scores(seed=1, ceilings=[ceiling(source=source)]), by="limit")
    assert check(a, b).exit_code == code


def test_our_own_limit_beside_a_ceiling_that_cut_nothing_is_the_models_matter():
    told = ceiling(source="models", count=0)
    assert check(scores(), cut(scores(seed=1, ceilings=[told]), by="limit")).exit_code == 3


def test_what_the_baselines_server_cut_goes_too():
    a, b = cut(scores(ceilings=[ceiling()]), to=100.0), scores(seed=1)
    assert check(a, b).exit_code == 1


def test_a_fall_that_a_lifted_ceiling_hides_is_no_pass():
    a, b = cut(scores(ceilings=[ceiling()]), to=20.0), with_part(scores(20, seed=1), 0.4, to=90.0)
    found = check(a, b)
    assert s_l(found).difference.value > 0
    assert found.exit_code == 1


def test_where_everything_was_cut_nothing_can_be_told():
    a, b = scores(), cut(scores(seed=1, ceilings=[ceiling()]), share=1.0)
    found = check(a, b)
    assert found.exit_code == 1
    assert s_l(found).without["ceilings"].n == 0


def test_a_pass_beside_other_ceilings_is_a_pass():
    a, b = scores(), cut(scores(seed=1, ceilings=[ceiling()]), share=0.1, to=None)
    assert check(a, b).exit_code == 0


# Suspects


def test_a_fall_that_suspects_carry_cannot_be_told():
    a, b = scores(), suspect(scores(seed=1))
    found = check(a, b)
    assert found.exit_code == 1
    assert s_l(found).without["suspects"].n == 36
    assert "tokens 24" in s_l(found).message


def test_a_fall_beside_suspects_is_a_regression():
    assert check(scores(), suspect(scores(20, seed=1), share=0.1)).exit_code == 3


def test_a_pass_that_rests_on_suspects_cannot_be_told():
    a, b = scores(), suspect(scores(12, seed=1), share=0.5, to=100.0)
    found = check(a, b)
    assert s_l(found).difference.drop < 1
    assert found.exit_code == 1


def test_the_other_samples_of_a_suspects_prompt_stay():
    a, b = scores(samples=2), suspect(scores(samples=2, seed=1), share=1.0, to=0.0, every=2)
    found = check(a, b)
    assert found.exit_code == 1
    assert s_l(found).without["suspects"].n == 60


def test_an_old_baseline_says_nothing_of_the_runs_suspects():
    assert check(scores(ceilings=None), suspect(scores(seed=1))).exit_code == 1


def test_what_both_together_carry_names_both():
    run = scores(seed=2, ceilings=[ceiling()])
    b = with_part(cut(run, share=0.6), 0.3, cut_by=None, suspect=frozenset({"glued"}))
    found = check(scores(), b)
    assert found.exit_code == 1
    assert set(s_l(found).without) == {"ceilings", "suspects", "ceilings and suspects"}
    assert "glued 18" in s_l(found).message
    assert "4,096" in s_l(found).message


# Asked differently


def with_tokens(run, added, *, hashes=None):
    tokens = {prompt: 50 + number * 7 + added for number, prompt in enumerate(sorted(run.lengths))}
    kept = dict.fromkeys(tokens, hashes) if hashes else {}
    return replace(run, kept_tokens=tokens, kept_hashes=kept)


@pytest.mark.parametrize("added", [300, -300, 1])
def test_prompts_that_are_longer_by_one_number_were_asked_differently(added):
    a, b = with_tokens(scores(), 0), with_tokens(scores(), added)
    found = check(a, b)
    assert found.exit_code == 1
    assert json.loads(verdict_json(found))["added_prompt_tokens"] == added
    assert json.loads(comparison_json(compare(a, b)))["added_prompt_tokens"] == added
    assert any(str(abs(added)) in note for note in compare(a, b).notes)


def test_a_fall_of_what_was_asked_differently_is_still_one():
    assert check(with_tokens(scores(), 0), with_tokens(scores(20), 300)).exit_code == 3


def test_prompts_that_the_user_sent_otherwise_are_said_and_no_doubt():
    a, b = with_tokens(scores(), 0, hashes="1"), with_tokens(scores(), 300, hashes="2")
    found = check(a, b)
    assert found.exit_code == 0
    assert any("300" in note for note in found.notes)


@pytest.mark.parametrize(
    "tokens",
    [
        {},
        {f"p-{number:03d}": 57 + 7 * number for number in range(7)},
        {f"p-{number:03d}": round(1.3 * (50 + 7 * number)) for number in range(60)},
    ],
)
def test_unknown_few_or_another_tokenizers_tokens_tell_nothing(tokens):
    a, b = with_tokens(scores(), 0), replace(scores(), kept_tokens=tokens)
    found = check(a, b)
    assert found.exit_code == 0
    assert json.loads(verdict_json(found))["added_prompt_tokens"] is None


def answered(run, **roles):
    return replace(run, serving=SERVING | roles)


def test_a_run_that_two_models_answered_is_said_and_cannot_be_told():
    a, b = scores(), answered(scores(), models={"m": 60, "other": 60})
    found = check(a, b)
    assert found.exit_code == 1
    assert any("other 60" in note for note in found.notes)
    assert any("other 60" in note for note in compare(a, b).notes)
    assert check(b, b).exit_code == 0
    assert check(a, answered(scores(), models={"another": 120})).exit_code == 0


def test_two_models_of_the_judge_leave_the_length_score_alone():
    rng = np.random.default_rng(0)
    judged = made(rng.normal(85, 4, (30, 1)).clip(0, 100), rng.integers(3, 6, (30, 1, 6)))
    a = answered(replace(judged, ceilings=[]), judge_models={"j": 30})
    b = answered(replace(judged, ceilings=[]), judge_models={"j": 15, "k": 15})
    outcomes = {str(each.metric): each.outcome for each in check(a, b).findings}
    assert outcomes == {"S_bar": "undecided", "S_l": "passed", "S_q": "undecided"}
    assert check(a, b, allow_different_judges=True).exit_code == 0


# Where it is said


def test_every_output_says_it():
    a, b = scores(), cut(scores(seed=1, ceilings=[ceiling()]))
    found = check(a, b)
    case = ElementTree.fromstring(junit_xml(found)).find("testsuite/testcase/error")
    texts = [case.get("message"), verdict_markdown(found), annotation(found)]
    texts += [comparison_markdown(compare(a, b)), *(note for note in compare(a, b).notes if "differ" in note)]
    assert len(texts) == 5
    for text in texts:
        assert "ceiling" in text
        assert "4" in text
        assert "096" in text
    values = json.loads(verdict_json(found))
    assert values["run"]["ceilings"] == [ceiling()]
    assert values["baseline"]["ceilings"] == []
    assert values["findings"][0]["without"]["ceilings"]["prompts"] == 36
    assert json.loads(comparison_json(compare(a, b)))["without"]["ceilings"]["S_l"]["prompts"] == 36
    suspects = json.loads(verdict_json(check(a, suspect(scores(seed=1)))))["run"]["suspects"]
    assert suspects == {"tokens": 24}


def test_a_baseline_file_keeps_what_the_server_did(tmp_path):
    run = scores(samples=2, ceilings=[ceiling()])
    run = suspect(cut(with_tokens(run, 40, hashes="1")), share=0.2, every=2)
    path = tmp_path / "kept.json"
    path.write_text(baseline_text(run))
    kept = load_scores(path)
    assert (kept.responses, kept.ceilings, kept.serving) == (run.responses, run.ceilings, run.serving)
    assert kept.prompt_tokens == run.prompt_tokens
    new = cut(scores(samples=2, seed=1, ceilings=[ceiling(2048)]), share=0.6)
    assert [each.message for each in check(kept, new).findings] == [
        each.message for each in check(run, new).findings
    ]


def test_a_baseline_file_without_them_does_not_know(tmp_path):
    path = tmp_path / "kept.json"
    path.write_text(baseline_text(scores(ceilings=None)))
    kept = load_scores(path)
    assert (kept.ceilings, kept.serving, dict(kept.prompt_tokens)) == (None, None, {})


def marked(folder, **more):
    """A run folder whose summary.json and scores.csv say that a server cut half of its texts to a third."""
    wrote = wrote_well(24, seed=1)
    for number, (name, each) in enumerate(wrote.items()):
        if number % 2 and more:
            wrote[name] = replace(each, words=each.words // 3)
    write_run(folder, wrote)
    summary = json.loads((folder / "summary.json").read_text())
    (folder / "summary.json").write_text(
        json.dumps(summary | {"ceilings": [ceiling()] * bool(more), "serving": SERVING})
    )
    head, *lines = (folder / "scores.csv").read_text().splitlines()
    for name, value in more.items():
        place = head.split(",").index(name)
        for number in range(1, len(lines), 2):
            cells = lines[number].split(",")
            cells[place] = value
            lines[number] = ",".join(cells)
    (folder / "scores.csv").write_text("\n".join([head, *lines]) + "\n")
    return folder


def test_the_function_for_tests_gives_the_same_verdict(tmp_path):
    a, b = marked(tmp_path / "a"), marked(tmp_path / "b", cut_by="server")
    assert check(load_scores(a), load_scores(b)).exit_code == 1
    with pytest.raises(AssertionError, match="ceiling"):
        assert_no_regression(b, a)


def test_a_summary_alone_says_how_many_suspects_there_are(tmp_path):
    a = marked(tmp_path / "a")
    values = json.loads((a / "summary.json").read_text())
    values["suspects"] = {"count": 7, "by_reason": {"glued": 7}, "S_l": 50.0}
    (tmp_path / "b.json").write_text(json.dumps(values))
    assert any("glued 7" in note for note in check(load_scores(a), load_scores(tmp_path / "b.json")).notes)


def test_a_summary_alone_does_not_say_which_prompts_were_cut(tmp_path):
    a, b = marked(tmp_path / "a"), marked(tmp_path / "b", cut_by="server")
    (b / "scores.csv").unlink()
    (b / "summary.json").rename(tmp_path / "b.json")
    found = check(load_scores(a), load_scores(tmp_path / "b.json"))
    assert found.exit_code == 1
    assert "ceiling" in s_l(found).message
