import pytest
from attacks import ATTACKS
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.errors import UsageError
from longbench_write.judging.judge import Judge
from longbench_write.judging.template import fill

TEXT = st.text() | st.sampled_from(["$INST$", "$RESPONSE$", "$INST$$RESPONSE$", r"\1 \g<0>", "$INST"])


@given(TEXT, TEXT)
def test_what_is_put_in_is_never_scanned_again(prompt: str, response: str) -> None:
    filled = fill("[$RESPONSE$|$INST$|$OTHER$]", prompt=prompt, response=response)
    assert filled == f"[{response}|{prompt}|$OTHER$]"


def test_a_placeholder_may_come_twice() -> None:
    assert fill("$INST$ $RESPONSE$ $INST$", prompt="$RESPONSE$", response="r") == "$RESPONSE$ r $RESPONSE$"


@pytest.mark.parametrize(
    ("template", "lacking"),
    [
        ("", r"\$(INST|RESPONSE)\$"),
        ("$INST$", r"\$RESPONSE\$"),
        ("$RESPONSE$", r"\$INST\$"),
        ("$inst$ $response$", r"\$(INST|RESPONSE)\$"),
    ],
)
def test_a_template_needs_both_places(template: str, lacking: str) -> None:
    with pytest.raises(UsageError, match=lacking):
        fill(template, prompt="$INST$", response="$RESPONSE$")


@given(TEXT, TEXT)
def test_a_mark_hangs_on_what_is_put_in(prompt: str, response: str) -> None:
    first, *_, last = fill("$MARK$|$INST$|$RESPONSE$|$MARK$", prompt=prompt, response=response).split("|")
    assert first == last
    assert len(first) == 16
    assert first not in prompt + response
    other = fill("$MARK$|$INST$|$RESPONSE$", prompt=prompt, response=response + first)
    assert not other.startswith(first)


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_the_rubric_keeps_an_attack_between_marks_that_it_cannot_forge(attack: str) -> None:
    filled = fill(Judge.load("rubric").template, prompt="Write a story.", response=attack)
    mark = next(line for line in filled.splitlines() if line.startswith("THE RESPONSE, mark "))[-16:]
    _, opened, rest = filled.partition(f"THE RESPONSE, mark {mark}\n")
    inside, closed, after = rest.partition(f"\nEND OF THE RESPONSE, mark {mark}")
    assert opened
    assert closed
    assert inside == attack
    assert attack not in after
    assert mark not in attack
