"""How well the flags do on texts written without sight of them, the half that was not looked at."""

import pytest
from flag_rates import entries, flag_rates

RATES = {half: {rates.flag: rates for rates in flag_rates(half)} for half in ("tune", "held_out")}


FOUND = {
    ("held_out", "refused"): 0.7,
    ("held_out", "declined_length"): 0.65,
    ("held_out", "refused or declined_length"): 0.7,
}
"""Where fewer of the texts are found than nine of ten: models decline in more ways than are known here."""


@pytest.mark.parametrize("flag", sorted(RATES["tune"]))
@pytest.mark.parametrize("half", ["tune", "held_out"])
def test_nine_of_ten_findings_are_right_and_nine_of_ten_texts_are_found(half, flag):
    rates = RATES[half][flag]
    assert rates.precision >= 0.9
    assert rates.recall >= FOUND.get((half, flag), 0.9)


@pytest.mark.parametrize("name", ["refusal", "repetition", "language"])
def test_half_of_each_set_is_held_out_and_half_are_traps(name):
    halves = [list(entries(name, half)) for half in ("tune", "held_out")]
    assert sum(map(len, halves)) >= 80
    assert abs(len(halves[0]) - len(halves[1])) <= 6
    traps = sum(entry["trap"] for half in halves for entry in half)
    assert traps >= 0.45 * sum(map(len, halves))
