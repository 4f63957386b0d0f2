import html
import re
from dataclasses import replace

import pytest
import yaml
from markdown_it import MarkdownIt
from samples import RUN_INFO, judged, predicted

from longbench_write.exchange.model_card import model_card
from longbench_write.scoring.scoring import summarise

HOSTILE = "a | b\n<script>x</script> `*_[z](http://127.0.0.1)\n---\n: { https://evil.com @team $a$ #1 [^1]"


JUDGEMENTS = (judged("a"), judged("b", scores=(5, 5, 5, 5, 5, 5)))


def summary_of(judgements=JUDGEMENTS, **changes):
    info = replace(RUN_INFO, **changes)
    predictions = [predicted("a"), predicted("b", length=800)]
    return summarise(info, predictions, list(judgements), owed=2, seconds=1.0)[0]


def parts(text):
    """The metadata block and the text below it."""
    nothing, block, below = text.split("---\n", 2)
    assert nothing == ""
    return yaml.safe_load(block), below


def test_the_block_holds_the_three_scores_and_what_they_are_of():
    summary = summary_of()
    block, below = parts("".join(model_card(summary)))
    (entry,) = block["model-index"]
    assert entry["name"] == "m"
    (result,) = entry["results"]
    assert result["task"]["type"] == "text-generation"
    assert (result["dataset"]["type"], result["dataset"]["revision"]) == ("s", "1")
    args = result["dataset"]["args"]
    assert (args["judge"], args["temperature"], args["prompts"]) == ("j", 0.5, 4)
    values = {metric["type"]: metric["value"] for metric in result["metrics"]}
    assert values == {name: round(getattr(summary, name), 2) for name in ("S_bar", "S_l", "S_q")}
    assert result["source"]["url"].startswith("https://")
    assert f"| S_l (length) | {summary.S_l:.1f} |" in below
    assert r"\[500,2000)" in below


def test_what_cannot_be_had_is_left_out():
    settings = {"backend": "imported", "temperature": None, "max_tokens": None, "seed": None}
    summary = summary_of((), judge=None, judge_sha256=None, settings=settings)
    block, below = parts("".join(model_card(summary)))
    (result,) = block["model-index"][0]["results"]
    assert [metric["type"] for metric in result["metrics"]] == ["S_l"]
    assert set(result["dataset"]["args"]) == {"suite_sha256", "prompts", "samples", "backend"}
    assert "| S_q (quality) |  |  |  |" in below
    assert "not judged" in below
    low, high = summary.ci["S_l"]
    assert f"| 95% interval of S_l | {low:.1f} to {high:.1f} |" in below


def test_untrusted_names_and_notes_stay_text():
    summary = summary_of(model=HOSTILE, suite=HOSTILE, judge=HOSTILE, judge_note=HOSTILE)
    text = "".join(model_card(summary, note=HOSTILE))
    block = yaml.safe_load(text.removeprefix("---\n").split("\n---\n\n## ")[0])
    assert block["model-index"][0]["name"] == HOSTILE
    below = text.split("\n---\n\n## ")[1]
    page = MarkdownIt("commonmark").enable("table").render(f"## {below}")
    assert set(re.findall(r"<(\w+)", page)) == {"h2", "table", "thead", "tbody", "tr", "th", "td", "p", "a"}
    assert re.findall('href="(.*?)"', page) == ["https://arxiv.org/abs/2408.07055"]
    shown = html.unescape(re.sub("<[^>]*>", "", page))
    assert shown.replace("\u200b", "").count(" ".join(HOSTILE.split())) == 4
    assert not re.search(r"https://evil|@team|#1", shown)
    assert len(re.findall(r"(?<!\\)\]\(", below)) == 1
    table = [line for line in below.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in table}) == 1


def test_the_hubs_own_reader_reads_it():
    hub = pytest.importorskip("huggingface_hub")
    summary = summary_of(model="THUDM/LongWriter-glm4-9b")
    card = hub.ModelCard("".join(model_card(summary)))
    assert card.data.model_name == "THUDM/LongWriter-glm4-9b"
    found = {result.metric_type: result for result in card.data.eval_results}
    assert found["S_l"].metric_value == round(summary.S_l, 2)
    assert found["S_q"].dataset_args["judge"] == "j"
    assert found["S_bar"].source_name.startswith("LongBench-Write")
    assert len(found) == 3
