"""The words: a name for every term, limit and assumption, and sentences that add up."""

from __future__ import annotations

import re

from sanhe.goods.replenish import ASSUMED_WORDS, CONSTRAINTS, TERM_WORDS, TERMS
from sanhe.goods.replenish.words import reason


def test_every_term_and_limit_has_words() -> None:
    assert tuple(TERM_WORDS) == TERMS
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
    text = reason(terms, 24, days=9, case_size=12)
    assert text == (
        "Order 24: 31 expected over 9 days + 8 safety - 10 on hand - 6 on order"
        " + 1 to fill 2 cases of 12."
    )
    body = text.split(":")[1].replace("over 9 days", "").replace("2 cases of 12", "")
    signed = re.findall(r"([+-]?) ?(\d+)", body)
    assert sum(int(sign + number) for sign, number in signed) == 24


def test_no_order_is_said_so() -> None:
    text = reason(
        {"demand_over_cover": 1, "on_hand": -5, "no_order_needed": 4}, 0, days=1.5, case_size=1
    )
    assert text == "No order: 1 expected over 1.5 days - 5 on hand + 4 beyond the need."
