import pytest
from hypothesis import given
from hypothesis import strategies as st

from longbench_write.errors import UsageError
from longbench_write.judging.template import fill

TEXT = st.text() | st.sampled_from(["$INST$", "$RESPONSE$", "$INST$$RESPONSE$", r"\1 \g<0>", "$INST"])


@given(TEXT, TEXT)
def test_what_is_put_in_is_never_scanned_again(prompt: str, response: str) -> None:
    filled = fill("[$RESPONSE$|$INST$|$OTHER$]", prompt=prompt, response=response)
    assert filled == f"[{response}|{prompt}|$OTHER$]"


def test_a_placeholder_may_come_twice() -> None:
    assert fill("$INST$ $RESPONSE$ $INST$", prompt="$RESPONSE$", response="r") == "$RESPONSE$ r $RESPONSE$"


@pytest.mark.parametrize("template", ["", "$INST$", "$RESPONSE$", "$inst$ $response$"])
def test_a_template_needs_both_places(template: str) -> None:
    with pytest.raises(UsageError, match="the judge's template has no"):
        fill(template, prompt="$INST$", response="$RESPONSE$")
