"""One table says what finish reasons mean."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.backends.finish_reasons import FinishReasons, is_truncated, said
from longbench_write.errors import BackendError

PROVIDERS = {
    "OpenAI": {"stop": "stop", "length": "length"},
    "TGI": {"eos_token": "stop", "stop_sequence": "stop", "length": "length"},
    "Anthropic": {"end_turn": "stop", "max_tokens": "length", "model_context_window_exceeded": "length"},
    "Gemini": {"STOP": "stop", "MAX_TOKENS": "length"},
    "Mistral": {"stop": "stop", "model_length": "length"},
    "Cohere": {"COMPLETE": "stop", "MAX_TOKENS": "length", "STOP_SEQUENCE": "stop"},
    "Together": {"eos": "stop", "length": "length"},
}


def kind(reasons, word):
    with pytest.raises(BackendError) as caught:
        reasons.read(word)
    return caught.value.kind


@pytest.mark.parametrize("provider", PROVIDERS)
def test_answers_of_providers(provider):
    for word, meaning in PROVIDERS[provider].items():
        assert FinishReasons().read(word) == meaning
        assert is_truncated(word) == (meaning == "length")


@pytest.mark.parametrize(
    "word", ["content_filter", "SAFETY", "RECITATION", "sensitive", "guardrail-intervened"]
)
def test_a_filter_is_a_filter_under_any_name(word):
    assert kind(FinishReasons(), word) == "content_filter"


@pytest.mark.parametrize(
    "word", ["abort", "error", "network_error", "insufficient_system_resource", "tool_calls"]
)
def test_what_is_no_answer_is_asked_again_however_often(word):
    reasons = FinishReasons()
    assert {kind(reasons, word) for _ in range(5)} == {"bad_response"}


def test_the_first_three_answers_with_one_unknown_word_stop_the_run():
    reasons = FinishReasons()
    assert [kind(reasons, "wound-up") for _ in range(4)] == ["bad_response"] * 2 + ["finish_reason"] * 2


@pytest.mark.parametrize("other", ["stop", None, "wound down", "abort"])
def test_an_unknown_word_beside_others_stops_nothing(other):
    reasons = FinishReasons({})
    if other in ("stop", None):
        reasons.read(other)
    else:
        kind(reasons, other)
    assert {kind(reasons, "wound up") for _ in range(5)} == {"bad_response"}


def test_the_user_says_what_a_word_means():
    reasons = FinishReasons({"Wound-Up": "stop", "abort": "length"})
    assert (reasons.read("wound_up"), reasons.read("ABORT"), reasons.read(None)) == (
        "stop",
        "length",
        "unknown",
    )


@pytest.mark.parametrize("value", [None, "", "null", "None", " ", 3, {}])
def test_a_null_in_any_guise_says_nothing(value):
    assert said(value) is None


@given(st.text())
def test_any_word_is_an_answer_or_an_error(word):
    with contextlib.suppress(BackendError):
        assert FinishReasons().read(word) in ("stop", "length")
