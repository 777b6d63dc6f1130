"""The words: a name for every term, limit and assumption, and sentences that add up."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from sanhe.goods.replenish import ASSUMED_WORDS, CONSTRAINTS, TERM_WORDS, TERMS
from sanhe.goods.replenish.words import in_days, reasons, warnings


def test_every_term_and_limit_has_words() -> None:
    assert sorted(TERM_WORDS) == sorted(TERMS)
    assert all(CONSTRAINTS.values())
    assert all(ASSUMED_WORDS.values())


def test_the_sentence_adds_up() -> None:
    terms = {
        "demand_over_cover": 31,
        "safety_stock": 8,
        "on_hand": -10,
        "on_order": -6,
        "case_rounding": 1,
    }
    text = sentence(terms, days=9, case_size=12)
    assert text == (
        "Order 24: 31 expected over 9 days + 8 safety - 10 on hand - 6 on order"
        " + 1 to fill 2 cases of 12."
    )
    body = text.split(":")[1].replace("over 9 days", "").replace("2 cases of 12", "")
    signed = re.findall(r"([+-]?) ?(\d+)", body)
    assert sum(int(sign + number) for sign, number in signed) == 24


def test_stock_that_expires_is_part_of_what_fills_the_cases() -> None:
    terms = {"demand_over_cover": 31, "on_hand": -20, "expiring": 8, "case_rounding": 5}
    assert sentence(terms, days=9, case_size=12) == (
        "Order 24: 31 expected over 9 days - 20 on hand + 8 of it that expires unsold"
        " + 5 to fill 2 cases of 12."
    )


def test_no_order_is_said_so() -> None:
    terms = {"demand_over_cover": 1, "on_hand": -5, "no_order_needed": 4}
    text = sentence(terms, days=1.5, case_size=1)
    assert text == "No order: 1 expected over 1.5 days - 5 on hand + 4 beyond the need."


def test_many_lines_are_told_as_each_alone() -> None:
    rng = np.random.default_rng(7)
    terms = rng.integers(-40, 40, (500, len(TERMS))) * (rng.random((500, len(TERMS))) < 0.5)
    days, case_size = rng.choice([0.96, 1.0, 2.25, 9.0, 30.55], 500), rng.integers(1, 4, 500)
    together = reasons(terms, days=days, case_size=case_size).to_pylist()
    for row, text in enumerate(together):
        one = slice(row, row + 1)
        (alone,) = reasons(terms[one], days=days[one], case_size=case_size[one]).to_pylist()
        assert text == alone
        body = text.split(" expected over ", 1)
        signed = re.findall(r" ([+-]) (\d+) ", body[1])
        first = int(re.findall(r": (-?\d+)$", body[0])[0])
        assert first + sum(int(sign + number) for sign, number in signed) == terms[row].sum()


def test_days_have_one_digit_and_one_day_is_singular() -> None:
    told = in_days(np.array([1.0, 0.96, 1.04, 1.06, 2.25, 30.0])).to_pylist()
    assert told == ["1 day", "1 day", "1 day", "1.1 days", "2.2 days", "30 days"]


def test_only_a_line_that_may_run_out_is_warned_of() -> None:
    told = warnings(
        np.array([2.0, 5.0, 1.0]), np.array([3.0, 3.0, 2.5]), ordered=np.array([True, True, False])
    )
    assert told.to_pylist() == [
        " Stock lasts 2 days, the order arrives in 3 days.",
        "",
        " Stock lasts 1 day, an order would arrive in 2.5 days.",
    ]


def sentence(terms: Mapping[str, int], *, days: float, case_size: int) -> str:
    """The sentence of one line."""
    values = np.array([[terms.get(name, 0) for name in TERMS]])
    (text,) = reasons(values, days=np.array([days]), case_size=np.array([case_size])).to_pylist()
    return str(text)
