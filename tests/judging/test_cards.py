import datetime
import re

import pytest

from longbench_write.errors import UsageError
from longbench_write.judging.cards import JudgeCard, judge_names, load_card, make_card
from longbench_write.judging.judge import Judge

CARD = "description: d\nmodel: m\n"


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "mine"
    path.mkdir()
    (path / "judge.yaml").write_text(CARD)
    return path


def test_the_shipped_judges():
    assert judge_names() == ["local-smollm2", "open-weights", "paper", "paper-successor", "rubric"]
    for name in judge_names():
        card, path = load_card(name)
        assert path.name == name
        assert card.description


def test_the_papers_judge_is_as_the_benchmark_says():
    card, _ = load_card("paper")
    assert (card.model, card.temperature, card.max_tokens, card.tries) == ("gpt-4o-2024-05-13", 0.5, 1024, 5)
    assert (card.template, card.reply_format, card.seed) == ("official", "text", False)
    assert (card.retires, card.api_key_env) == (datetime.date(2026, 10, 23), "OPENAI_API_KEY")


def test_its_successor_is_asked_as_a_reasoning_model():
    card, _ = load_card("paper-successor")
    assert (card.model, card.template, card.reply_format) == ("gpt-6.1-sol", "official", "json_schema")
    assert card.temperature is None
    assert card.max_completion_tokens
    assert card.max_tokens > 1024
    assert card.api_key_env == "OPENAI_API_KEY"


def test_the_embedded_judge_says_that_its_scores_mean_nothing():
    card, _ = load_card("local-smollm2")
    assert (card.model, card.backend, card.reply_format) == ("local/smollm2-135m", "local", "json_schema")
    assert card.template == "official"
    assert card.seed
    assert card.api_key_env is None
    assert card.analysis_max_chars is not None
    assert "mean nothing" in card.note


def test_every_field_says_what_it_means_and_its_default():
    for name, field in JudgeCard.model_fields.items():
        assert field.description, name
        assert ("Required." if field.is_required() else "Default: ") in " ".join(field.description.split())


def test_a_path_works_like_a_name(folder, monkeypatch):
    expected = (JudgeCard(description="d", model="m"), folder)
    assert load_card(str(folder)) == expected
    assert load_card(str(folder / "judge.yaml")) == expected
    monkeypatch.chdir(folder)
    assert load_card(".") == expected


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("papr", "'papr'.*'paper'"),
        ("zzz", "'zzz'.*local-smollm2.*open-weights.*paper"),
        ("no/such/place", "'no/such/place'"),
        ("", "''"),
    ],
)
def test_an_unknown_judge_names_the_nearest(name, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=told):
        load_card(name)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (CARD + "temperatur: 1", "'temperatur'.*'temperature'"),
        (CARD + "3: 1", "'3'.*temperature"),
        (CARD + "temperature: hot", "temperature: "),
        (CARD + "temperature: .nan", "temperature: "),
        (CARD + "temperature: -1", "temperature: "),
        (CARD + "max_tokens: '9'", "max_tokens: "),
        (CARD + "tries: 0", "tries: "),
        (CARD + "tries: true", "tries: "),
        (CARD + "backend: vlm", "backend: .*'vlm'.*'vllm'"),
        (CARD + "reply_format: json", "reply_format: "),
        (CARD + "template: ../other.txt", "template: "),
        (CARD + "analysis_max_chars: 9", "analysis_max_chars.*reply_format"),
        (CARD + "backend: local\nbase_urls: ['http://h/v1']", "base_urls.*backend"),
        ("model: m", "description: "),
    ],
)
def test_a_card_that_cannot_be_is_refused_by_file_and_key(folder, text, told):
    (folder / "judge.yaml").write_text(text)
    with pytest.raises(UsageError, match=told) as caught:
        load_card(str(folder))
    assert str(folder / "judge.yaml") in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"- a", b"", b"a: [", b"a: !!python/object/apply:os.getpid []", b"\xff"])
def test_a_card_that_is_no_mapping_is_refused_by_file(folder, content):
    path = folder / "judge.yaml"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=re.escape(str(path))) as caught:
        load_card(str(folder))
    assert "\n" not in str(caught.value)


def test_servers_and_dates_are_read(folder):
    (folder / "judge.yaml").write_text(
        CARD + "base_urls: ['http://a/v1', 'http://b/v1']\nretires: 2030-01-02"
    )
    card, _ = load_card(str(folder))
    assert (card.base_urls, card.retires) == (("http://a/v1", "http://b/v1"), datetime.date(2030, 1, 2))
    assert make_card(card.model_dump(), "again") == card


@pytest.mark.parametrize("template", ["missing.txt", ".."])
def test_a_template_that_cannot_be_read_is_named(folder, template):
    (folder / "judge.yaml").write_text(CARD + f"template: {template}")
    with pytest.raises(UsageError, match=re.escape(str(folder / template))):
        Judge.load(str(folder))


def test_a_template_without_places_is_refused_before_anything_is_spent(folder):
    (folder / "judge.yaml").write_text(CARD + "template: prompt.txt")
    (folder / "prompt.txt").write_text("Judge $INST$.")
    with pytest.raises(UsageError, match=r"\$RESPONSE\$"):
        Judge.load(str(folder))
