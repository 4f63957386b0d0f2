import dataclasses
import hashlib
import json

import pytest
from servers.openai_server import Answer, OpenAIServer, in_turn, judge_reply

from longbench_write.assets import assets
from longbench_write.backends.base import Completion, Usage
from longbench_write.backends.openai.backend import OpenAIBackend
from longbench_write.errors import BackendError, UsageError
from longbench_write.judging.judge import Judge
from longbench_write.metrics.length import count_words, count_words_unicode
from longbench_write.metrics.quality import DIMENSIONS
from longbench_write.records import Failure, Judgement

SCORES = dict(zip(DIMENSIONS, (5, 4, 3, 2, 1, 4), strict=True))
GOOD = json.dumps({"Analysis": "Why."} | SCORES)
BAD = json.dumps(SCORES | {"Relevance": 9})
TEMPLATE = "Asked: $INST$\nWritten: $RESPONSE$\nGrade it."
TEMPLATE_SHA256 = "2c423ce88a0eb6a61482f427997a3c03c4bc11fe861102895dcac45926ae1d57"
WHOLE_LIMIT = {"prompt_tokens": 9, "completion_tokens": 1023}
"""Of a reply that the limit ended: some servers count one less than was asked for."""
RESPONSE = {"id": "p-1", "sample": 0, "prompt": "Write of rivers.", "response": "A river."}


@pytest.fixture
def make_judge(tmp_path):
    """Make a judge of a card's lines, with a template of its own."""

    def make(*lines, name="mine", **overrides):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "prompt.txt").write_text(TEMPLATE)
        card = "\n".join(["description: d", "model: m", "template: prompt.txt", *lines])
        (folder / "judge.yaml").write_text(card)
        return Judge.load(str(folder), **overrides)

    return make


async def ask(judge, answer, **changes):
    """One judgement through the real backend, and the requests it took."""
    with OpenAIServer(answer) as server:
        spec = dataclasses.replace(judge.spec(), base_urls=(server.base_url,), api_key_env=None)
        async with OpenAIBackend(spec) as backend:
            judgement = await judge.judge(backend, **RESPONSE | changes)
        return judgement, server.requests


class Scripted:
    """A backend that gives these answers in turn, and keeps what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.asked = []

    async def complete(self, messages, sampling):
        self.asked.append((messages, sampling))
        answer = self.answers.pop(0)
        if isinstance(answer, BackendError):
            raise answer
        return answer


def said(text, finish_reason="stop", usage=None, seconds=0.25):
    return Completion(text, "", finish_reason, usage or Usage(100, 20), seconds)


async def test_the_official_call_is_one_message_and_nothing_else():
    judge = Judge.load("paper")
    prompt, response = "Write $RESPONSE$ of $INST$.", "A river, $INST$."
    judgement, (request,) = await ask(
        judge, judge_reply((5, 4, 3, 2, 1, 4)), prompt=prompt, response=response
    )
    template = assets.text("judge-template")
    before, between, after = template.replace("$INST$", "\0").replace("$RESPONSE$", "\0").split("\0")
    body = dict(request.body)
    assert body.pop("messages") == [{"role": "user", "content": before + prompt + between + response + after}]
    del body["stream"], body["stream_options"]
    assert body == {"model": "gpt-4o-2024-05-13", "temperature": 0.5, "max_tokens": 1024}
    assert judgement.scores == SCORES
    assert judge.template_sha256 == TEMPLATE_SHA256


async def test_a_placeholder_inside_a_prompt_is_text(make_judge):
    _, (request,) = await ask(make_judge(), judge_reply(), prompt="Explain $RESPONSE$.", response="$INST$!")
    assert request.prompt == "Asked: Explain $RESPONSE$.\nWritten: $INST$!\nGrade it."


async def test_a_valid_reply_is_a_judgement(make_judge):
    judgement, requests = await ask(make_judge(), in_turn(Answer(GOOD)), sample=3, repeat=2)
    assert len(requests) == 1
    assert (judgement.id, judgement.sample, judgement.judge, judgement.repeat) == ("p-1", 3, "mine", 2)
    assert (judgement.scores, judgement.analysis, judgement.raw) == (SCORES, "Why.", GOOD)
    assert (judgement.error, judgement.tries) == (None, 1)
    assert (judgement.rubric, judgement.model_served) == ("longbench-write", "m")
    assert judgement.response_sha256 == hashlib.sha256(RESPONSE["response"].encode()).hexdigest()
    assert judgement.usage["completion_tokens"] == len(GOOD.split())
    assert judgement.seconds > 0


@pytest.mark.parametrize("bad", range(5))
async def test_an_invalid_reply_is_retried(make_judge, bad):
    judgement, requests = await ask(make_judge(), in_turn(*[Answer(BAD)] * bad, Answer(GOOD)))
    assert (judgement.scores, judgement.error) == (SCORES, None)
    assert judgement.tries == len(requests) == bad + 1


async def test_no_valid_reply_in_all_tries_is_no_score(make_judge):
    judgement, requests = await ask(make_judge(), in_turn(Answer("Nice!"), Answer(BAD)))
    assert judgement.scores is None
    assert judgement.error == Failure(
        "invalid_reply", "Relevance is 9, not an integer from 1 to 5", final=True
    )
    assert (judgement.raw, judgement.tries, len(requests)) == (BAD, 5, 5)


async def test_the_card_says_how_many_tries(make_judge):
    judgement, requests = await ask(make_judge("tries: 2"), in_turn(Answer(BAD)))
    assert judgement.tries == len(requests) == 2


@pytest.mark.parametrize(
    ("answer", "kind", "reason"),
    [
        (Answer(""), "empty_reply", "empty reply"),
        (
            Answer(refusal="I'm sorry, I can't help with that."),
            "refused",
            "refused: I'm sorry, I can't help with that.",
        ),
        (
            Answer(GOOD[:30], finish_reason="length", usage=WHOLE_LIMIT),
            "truncated_reply",
            "truncated: the limit of tokens ended ",
        ),
        (
            Answer(f"<think>{GOOD}", finish_reason="length", usage=WHOLE_LIMIT),
            "truncated_reply",
            "truncated: the limit of tokens ended the reply; ",
        ),
        (
            Answer("", reasoning=GOOD, finish_reason="length", usage=WHOLE_LIMIT),
            "truncated_reply",
            "truncated: the limit of tokens ended the reply; ",
        ),
    ],
)
async def test_each_invalid_reply_has_its_reason(make_judge, answer, kind, reason):
    judgement, _ = await ask(make_judge("tries: 1"), in_turn(answer))
    assert judgement.scores is None
    assert judgement.error.type == kind
    assert judgement.error.message.startswith(reason)
    assert judgement.raw == (answer.text or answer.refusal or answer.reasoning)


async def test_a_whole_reply_before_the_limit_of_tokens_counts(make_judge):
    judgement, _ = await ask(make_judge(), in_turn(Answer(GOOD + "\n" * 50, finish_reason="length")))
    assert judgement.scores == SCORES


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(status=400, error={"message": "maximum context length is 8 tokens"}), "context_length"),
        (Answer(status=400, error={"message": "no", "code": "content_filter"}), "content_filter"),
        (Answer(GOOD[:9], finish_reason="content_filter"), "content_filter"),
        (Answer(status=400, error={"message": "no such parameter"}), "bad_request"),
    ],
)
async def test_a_request_that_cannot_succeed_is_a_final_failure(make_judge, answer, kind):
    judgement, requests = await ask(make_judge(), in_turn(answer))
    assert (judgement.error.type, judgement.error.final) == (kind, True)
    assert (judgement.scores, judgement.raw, judgement.usage, judgement.seconds) == (None, "", None, None)
    assert judgement.tries == len(requests) == 1


async def test_a_transient_fault_is_owed_again(make_judge):
    judge = make_judge()
    judgement, requests = await ask(judge, in_turn(Answer(status=500)))
    assert (judgement.error.type, judgement.error.final) == ("server_error", False)
    assert (judgement.scores, judgement.tries) == (None, 1)
    assert len(requests) == judge.spec().retry.tries


@pytest.mark.parametrize(("status", "kind"), [(401, "unauthorized"), (403, "forbidden"), (404, "not_found")])
async def test_what_fails_for_every_response_stops_the_run(make_judge, status, kind):
    with pytest.raises(BackendError) as caught:
        await ask(make_judge(), in_turn(Answer(status=status)))
    assert caught.value.kind == kind


async def test_a_fault_after_an_invalid_reply_keeps_what_was_paid_for(make_judge):
    backend = Scripted(said(BAD, usage=Usage(7, 3), seconds=0.5), BackendError("timeout", "it stalled"))
    judgement = await make_judge().judge(backend, **RESPONSE)
    assert judgement.error == Failure("timeout", "it stalled", final=False)
    assert (judgement.scores, judgement.raw, judgement.tries) == (None, BAD, 2)
    assert (judgement.usage["prompt_tokens"], judgement.seconds) == (7, 0.5)


@pytest.mark.parametrize(
    ("served", "known"), [(("a", "a"), "a"), (("a", "b"), None), ((None, "a"), None), ((None, None), None)]
)
async def test_who_judged_is_said_where_all_replies_say_the_same(make_judge, served, known):
    replies = [
        dataclasses.replace(said(text), model_served=name, system_fingerprint=name)
        for text, name in zip((BAD, GOOD), served, strict=True)
    ]
    judgement = await make_judge().judge(Scripted(*replies), **RESPONSE)
    assert (judgement.model_served, judgement.system_fingerprint) == (known, known)


async def test_a_judgement_says_its_response_whatever_its_letters(make_judge):
    judgement = await make_judge().judge(Scripted(said(GOOD)), **RESPONSE | {"response": "half \ud83e"})
    assert len(judgement.response_sha256) == 64


async def test_usage_and_time_are_summed_over_the_tries(make_judge):
    usages = (Usage(7, 3), Usage(7, None, 5), Usage(7, 4))
    backend = Scripted(
        *[said(text, usage=usage) for text, usage in zip((BAD, "", GOOD), usages, strict=True)]
    )
    judgement = await make_judge().judge(backend, **RESPONSE)
    assert judgement.usage == {
        "prompt_tokens": 21,
        "completion_tokens": 7,
        "reasoning_tokens": 5,
        "cached_tokens": None,
    }
    assert (judgement.seconds, judgement.tries) == (0.75, 3)


async def test_a_reasoning_model_is_asked_as_it_wants_it(make_judge):
    judge = make_judge(
        "temperature: null", "max_tokens: 9000", "max_completion_tokens: true", "reasoning_effort: low"
    )
    _, (request,) = await ask(judge, judge_reply())
    assert request.body["max_completion_tokens"] == 9000
    assert request.body["reasoning_effort"] == "low"
    assert not {"temperature", "max_tokens", "seed", "response_format"} & request.body.keys()


async def test_the_reply_format_is_sent(make_judge):
    _, (plain,) = await ask(make_judge("reply_format: json_object"), judge_reply())
    assert plain.body["response_format"] == {"type": "json_object"}
    judge = make_judge("reply_format: json_schema", "analysis_max_chars: 50")
    _, (held,) = await ask(judge, judge_reply())
    schema = held.body["response_format"]["json_schema"]["schema"]
    assert schema == judge.schema
    assert list(schema["properties"]) == schema["required"] == ["Analysis", *DIMENSIONS]
    assert schema["additionalProperties"] is False
    assert schema["properties"].pop("Analysis") == {"type": "string", "maxLength": 50}
    for score in schema["properties"].values():
        assert score == {"type": "integer", "enum": [1, 2, 3, 4, 5]}


def test_without_a_limit_the_analysis_is_any_string(make_judge):
    assert make_judge("reply_format: json_schema").schema["properties"]["Analysis"] == {"type": "string"}


async def test_seeds_depend_on_run_response_and_try_alone(make_judge):
    async def seeds(run_seed, **changes):
        backend = Scripted(*[said(BAD)] * 3)
        await make_judge("seed: true", "tries: 3", seed=run_seed).judge(backend, **RESPONSE | changes)
        return [sampling.seed for _, sampling in backend.asked]

    first = await seeds(42)
    digest = hashlib.sha256(b"42:p-1:0:0:1").digest()
    assert first[0] == int.from_bytes(digest[:4], "big") >> 1
    assert await seeds(42) == first
    others = [
        await seeds(43),
        await seeds(42, id="p-2"),
        await seeds(42, sample=1),
        await seeds(42, repeat=1),
    ]
    assert len({*first, *(seed for each in others for seed in each)}) == 15


def test_overrides_show_in_the_label_and_send_no_key_elsewhere(make_judge):
    lines = ("api_key_env: MY_KEY",)
    mine = make_judge(*lines, api_key_env="MY_KEY")
    assert (mine.label, mine.card.api_key_env) == ("mine", "MY_KEY")
    judge = make_judge(*lines, model="other", base_urls=["http://h/v1"])
    assert (judge.label, judge.card.model, judge.card.api_key_env) == ("mine (other)", "other", None)
    spec = judge.spec(7)
    assert (spec.kind, spec.model, spec.base_urls) == ("openai", "other", ("http://h/v1",))
    assert (spec.api_key_env, spec.concurrency, spec.max_tokens) == (None, 7, 1024)
    named = make_judge(*lines, base_urls=["http://h/v1"], api_key_env="ITS_KEY")
    assert (named.label, named.card.api_key_env) == ("mine", "ITS_KEY")
    assert make_judge(*lines, model="m", api_key_env="MY_KEY").label == "mine"


HERE = "base_urls: ['http://h/v1']"
PAIR = {"base_urls": ["http://h/v1"], "api_key_env": "MY_KEY"}


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ((HERE, "api_key_env: MY_KEY"), {}),
        ((HERE, "api_key_env: MY_KEY"), {"api_key_env": "MY_KEY"}),
        ((HERE, "api_key_env: OPENAI_API_KEY"), {}),
        ((HERE, "headers: {X-Org: MY_KEY}"), {}),
        ((HERE, "headers: {X-Org: MY_KEY}"), {"base_urls": ["http://h/v1"]}),
        (("api_key_env: MY_KEY",), {}),
        (("api_key_env: MY_KEY",), {"api_key_env": "ITS_KEY"}),
    ],
)
def test_somebodys_card_sends_no_variable_to_a_server_that_nobody_else_named(make_judge, lines, named):
    with pytest.raises(UsageError, match="only its card"):
        make_judge(*lines, **named)


@pytest.mark.parametrize(
    ("lines", "named", "key"),
    [
        ((HERE, "api_key_env: MY_KEY"), PAIR, "MY_KEY"),
        ((HERE, "api_key_env: MY_KEY"), {"base_urls": ["http://mine/v1"]}, None),
        ((HERE,), {}, None),
        (("api_key_env: OPENAI_API_KEY",), {}, "OPENAI_API_KEY"),
        ((HERE, "headers: {X-Org: MY_KEY}"), PAIR | {"headers": {"X-Org": "MY_KEY"}}, "MY_KEY"),
    ],
)
def test_what_the_user_has_named_is_sent(make_judge, lines, named, key):
    assert make_judge(*lines, **named).card.api_key_env == key


@pytest.mark.parametrize(
    "line",
    [
        "gen: {temperature: 1}",
        "gen: {messages: []}",
        "extra_body: {model: x}",
        "headers: {X A: B}",
        "headers: {A: 'b c'}",
    ],
)
def test_fields_of_a_request_that_no_card_can_set_are_refused(make_judge, line):
    with pytest.raises(UsageError, match=line.partition(":")[0]):
        make_judge(line)


async def test_a_cards_own_fields_stand_in_each_request(make_judge):
    judge = make_judge(
        "gen: {top_p: 0.9, chat_template_kwargs.enable_thinking: false}",
        "system: Be strict.",
        "extra_body: {provider: {only: [p]}}",
        "max_tokens_field: max_output_tokens",
    )
    _, (request,) = await ask(judge, judge_reply())
    assert request.body["top_p"] == 0.9
    assert request.body["chat_template_kwargs"] == {"enable_thinking": False}
    assert request.body["messages"][0] == {"role": "system", "content": "Be strict."}
    assert request.body["provider"] == {"only": ["p"]}
    assert request.body["max_output_tokens"] == 1024


async def test_what_a_server_refuses_of_a_judge_names_its_cards_key(make_judge):
    judge = make_judge("temperature: 0.5")
    refusal = Answer(status=400, error={"message": "temperature is not supported", "param": "temperature"})
    with pytest.raises(BackendError) as caught:
        await ask(judge, in_turn(refusal))
    told = judge.explain_error(str(caught.value), caught.value.kind)
    assert "`temperature: null`" in told
    assert "--temperature" not in told


def test_a_base_url_takes_a_local_judge_to_a_server_and_a_local_model_takes_one_home(make_judge):
    served = make_judge("backend: local", base_urls=["http://h/v1"])
    assert (served.card.backend, served.card.base_urls) == ("openai", ("http://h/v1",))
    home = make_judge(HERE, "api_key_env: MY_KEY", model="local/x.gguf")
    assert (home.card.backend, home.card.base_urls, home.card.api_key_env) == ("local", (), None)


def test_an_empty_model_is_refused(make_judge):
    with pytest.raises(UsageError, match=r"judge mine \(\): model: "):
        make_judge(model="")


def test_the_configurations_hash_changes_with_what_can_change_a_score(make_judge):
    same = [
        make_judge(),
        make_judge("concurrency: 3", "note: n", "retires: 2030-01-01", name="copy"),
        make_judge("max_completion_tokens: true", "api_key_env: OPENAI_API_KEY", "max_tokens_field: x"),
        make_judge(base_urls=["http://h/v1"], seed=7),
        make_judge("seed: true", seed=7),
    ]
    assert len({judge.config_sha256 for judge in same}) == 1
    different = [
        same[0],
        make_judge(model="other"),
        make_judge("temperature: 0.5"),
        make_judge("max_tokens: 7"),
        make_judge("reasoning_effort: low"),
        make_judge("gen: {top_p: 0.5}"),
        make_judge("system: Be strict."),
        make_judge("extra_body: {top_p: 0.5}"),
        make_judge("tries: 3"),
        make_judge("reply_format: json_object"),
        make_judge("reply_format: json_schema"),
        make_judge("reply_format: json_schema", "analysis_max_chars: 9"),
        dataclasses.replace(same[0], template=TEMPLATE + " "),
    ]
    assert len({judge.config_sha256 for judge in different}) == len(different)
    assert same[0].template_sha256 == hashlib.sha256(TEMPLATE.encode()).hexdigest()


TOO_LONG = Answer(status=400, error={"message": "too many tokens", "code": "context_length_exceeded"})


def with_room_for(characters):
    """A judge's server that refuses longer messages, and gives the first part 2 and all others 4."""

    def answer(body, number):
        message = body["messages"][0]["content"]
        if len(message) > characters:
            return TOO_LONG
        return judge_reply((2 if "part 1 of" in message else 4,) * 6)(body, number)

    return answer


LONG = "\n\n".join(f"Paragraph {'word ' * 60}ends here." for _ in range(20))


async def test_a_response_that_does_not_fit_has_no_score_and_its_reason(make_judge):
    judgement, requests = await ask(make_judge(), with_room_for(2_000), response=LONG)
    assert (judgement.scores, judgement.chapters, judgement.error.type) == (None, None, "context_length")
    assert len(requests) == 1


async def test_a_chapter_weighs_by_a_count_that_knows_its_script(make_judge):
    """Half is kana, in which the official count sees no word at all."""
    kana, latin = "さくらがさいた。" * 100, "\n\n" + "word ends. " * 350
    judgement, _ = await ask(make_judge(in_chapters=True), with_room_for(3_500), response=kana + latin)
    words = [chapter["words"] for chapter in judgement.chapters]
    assert sum(words) == count_words_unicode(kana + latin)
    assert words[0] > 700
    assert judgement.values["Clarity"] == pytest.approx((2 * words[0] + 4 * sum(words[1:])) / sum(words))


async def test_chapters_are_as_few_as_fit_and_count_by_their_words(make_judge):
    judgement, requests = await ask(make_judge(in_chapters=True), with_room_for(2_500), response=LONG)
    assert [chapter["scores"]["Clarity"] for chapter in judgement.chapters] == [2, 4, 4, 4]
    assert sum(chapter["words"] for chapter in judgement.chapters) == count_words(LONG)
    first = judgement.chapters[0]["words"] / count_words(LONG)
    assert judgement.values["Clarity"] == pytest.approx(2 * first + 4 * (1 - first))
    assert judgement.scores == dict.fromkeys(DIMENSIONS, 4 if judgement.values["Clarity"] >= 3.5 else 3)
    assert judgement.error is None
    assert len(requests) == judgement.tries == 1 + 1 + 4
    assert Judgement.from_json(json.loads(json.dumps(judgement.to_json()))) == judgement


async def test_a_chapter_without_a_valid_reply_leaves_no_score(make_judge):
    def answer(body, number):
        fits = with_room_for(4_500)(body, number)
        return (
            Answer("no") if "part 2 of" in body["messages"][0]["content"] and fits is not TOO_LONG else fits
        )

    judgement, _ = await ask(make_judge("tries: 2", in_chapters=True), answer, response=LONG)
    assert (judgement.scores, judgement.chapters, judgement.error.type) == (None, None, "invalid_reply")


async def test_what_fits_in_no_parts_fails_with_that_reason(make_judge):
    judgement, requests = await ask(make_judge(in_chapters=True), with_room_for(10), response=LONG)
    assert judgement.error.type == "context_length"
    assert len(requests) == judgement.tries == 1 + 6


async def test_a_reply_that_the_judges_own_context_ended_is_a_context_that_is_too_small(make_judge):
    cut = Answer(GOOD[:30], finish_reason="length", usage={"prompt_tokens": 4065, "completion_tokens": 31})
    judgement, requests = await ask(make_judge(), in_turn(cut))
    assert (judgement.error.type, judgement.error.final, len(requests)) == ("context_length", True, 1)

    def answer(body, number):
        return cut if "part " not in body["messages"][0]["content"] else Answer(GOOD)

    judgement, _ = await ask(make_judge(in_chapters=True), answer, response=LONG)
    assert (judgement.scores, len(judgement.chapters)) == (SCORES, 2)


async def test_a_cut_reply_whose_tokens_nobody_counts_is_truncated(make_judge):
    cut = Answer(GOOD[:30], finish_reason="length", fault="no_usage")
    judgement, _ = await ask(make_judge("tries: 1"), in_turn(cut))
    assert judgement.error.type == "truncated_reply"


@pytest.mark.parametrize("field", ["reasoning", "reasoning_content"])
async def test_json_in_the_reasoning_field_is_the_reply_where_there_is_no_other(make_judge, field):
    answer = Answer("", reasoning=GOOD, reasoning_field=field)
    judgement, requests = await ask(make_judge(), in_turn(answer))
    assert (judgement.scores, judgement.raw, judgement.reply_field) == (SCORES, GOOD, "reasoning")
    assert len(requests) == 1
    assert Judgement.from_json(json.loads(json.dumps(judgement.to_json()))) == judgement


async def test_thoughts_are_no_reply_and_are_kept(make_judge):
    thoughts = f"It may be {GOOD} or so."
    judgement, _ = await ask(make_judge("tries: 1"), in_turn(Answer("", reasoning=thoughts)))
    assert judgement.error.type == "empty_reply"
    assert (judgement.scores, judgement.raw) == (None, thoughts)
    judgement, _ = await ask(make_judge(), in_turn(Answer(GOOD, reasoning=thoughts)))
    assert (judgement.scores, judgement.raw, judgement.reply_field) == (SCORES, GOOD, None)
