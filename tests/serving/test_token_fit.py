"""Tokens of texts are fitted to their pieces, whatever the tokenizer, and some texts may be cut."""

from __future__ import annotations

import random

import pytest

from longbench_write.serving.pieces import Pieces
from longbench_write.serving.token_fit import Counted, fit_tokens

TOKENIZERS = [(0.95, 0.6, 20), (1.05, 1.42, 5), (1.28, 0.8, 900), (1.1, 0.25, 0)]


def texts(draw, *, latin, ideographs, constant, count=60, cut=0.0):
    for _ in range(count):
        pieces = Pieces(draw.randrange(20, 900), draw.choice([0, draw.randrange(10, 900)]))
        whole = (latin * pieces.latin + ideographs * pieces.ideographs) * draw.gauss(1, 0.05) + constant
        yield Counted(pieces, max(1, round(whole * (0.5 if draw.random() < cut else 1))))


@pytest.mark.parametrize(("latin", "ideographs", "constant"), TOKENIZERS)
@pytest.mark.parametrize("cut", [0.0, 0.2])
def test_the_tokenizer_is_learned_though_some_texts_are_cut(latin, ideographs, constant, cut):
    draw = random.Random(2)
    for _ in range(20):
        fit = fit_tokens(texts(draw, latin=latin, ideographs=ideographs, constant=constant, cut=cut))
        for pieces in (Pieces(600, 0), Pieces(5000, 0), *([] if cut else [Pieces(100, 3000)])):
            whole = latin * pieces.latin + ideographs * pieces.ideographs + constant
            assert fit.tokens_of(pieces) == pytest.approx(whole, rel=0.2)
            assert fit.error_of(pieces) < 0.15 * whole


def test_without_texts_the_fit_is_the_usual_one_and_its_error_large():
    fit = fit_tokens([])
    assert fit.tokens_of(Pieces(1000, 0)) == pytest.approx(1050, rel=0.01)
    assert fit.error_of(Pieces(1000, 0)) > 900


def test_texts_of_one_size_leave_the_error_of_larger_ones_large():
    same = [Counted(Pieces(600, 0), 700)] * 50
    assert fit_tokens(same).error_of(Pieces(600, 0)) < 20
    assert fit_tokens(same).error_of(Pieces(6000, 0)) > 800


def test_a_constant_is_never_negative():
    fit = fit_tokens([Counted(Pieces(n, 0), max(1, n - 60)) for n in range(80, 400, 5)])
    assert fit.constant == 0
    without = fit_tokens([Counted(Pieces(100, 0), 400)] * 9, constant=False)
    assert without.constant == pytest.approx(0, abs=1e-3)
