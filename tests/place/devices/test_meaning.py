"""What events tell: facts that always can be recorded, and what is wrong in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.facts import facts_table
from sanhe.place.devices.meaning import Standing, meaning
from sanhe.place.devices.rules import read_event
from sanhe.wiring import FACT_TYPES
from tests.place.devices.till import START, Till

STANDING = Standing("S1", START, "Asia/Shanghai", time(4), "CNY")
NOW = START + timedelta(days=1)


def told(till: Till, *, at: datetime = NOW) -> Any:
    return meaning(read_event(till.events[-1], till.name), STANDING, received_at=at)


def test_a_receipt_is_a_sale_of_each_line() -> None:
    till = Till()
    till.write(
        "receipt",
        {
            "receipt": "R1",
            "lines": [
                {"sku": "A", "quantity": 2, "amount_cents": 1000},
                {"sku": "B", "quantity": -1, "amount_cents": -300, "return_of": "R0"},
            ],
        },
        at="2024-06-03T19:30:00+00:00",
    )
    first, second = told(till).facts
    assert told(till).problem == ""
    assert (first.source, first.sku, first.quantity, first.amount_cents) == (
        ("till/till-1", "A", 2, 1000)
    )
    assert first.payload == {"receipt": "R1", "line": 1}
    assert (second.quantity, second.payload["return_of"]) == (-1, "R0")
    # 03:30 in Shanghai: before the cut-off it is still the business day before.
    assert first.day == date(2024, 6, 3)


def test_a_count_is_a_count_of_each_line_and_a_session_tells_nothing() -> None:
    till = Till()
    till.count({"A": 3, "B": 0})
    assert [(fact.type, fact.quantity) for fact in told(till).facts] == [
        ("stock.counted", 3),
        ("stock.counted", 0),
    ]
    till.write("opened", {"cash_cents": 500})
    assert told(till).facts == () and told(till).problem == ""
    till.write("sing", {})
    assert "nobody knows" in told(till).problem


@pytest.mark.parametrize(
    ("moment", "held", "wrong"),
    [
        ("1970-01-01T08:00:00+08:00", START, True),
        ("2024-06-03T00:00:00Z", START, False),
        ("2024-06-04T00:03:00Z", NOW, False),
        ("2031-01-01T00:00:00Z", NOW, True),
    ],
)
def test_a_wrong_clock_is_held_to_what_can_be(moment: str, held: datetime, wrong: bool) -> None:
    till = Till()
    till.sell(at=moment)
    assert told(till).facts[0].event_at == held
    assert told(till).problem.startswith("its clock") == wrong


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"receipt": "R", "lines": []},
        {"receipt": "R", "lines": [5]},
        {"receipt": "R", "lines": [{"sku": "A"}]},
        {"receipt": "R", "lines": [{"sku": "", "quantity": 1}]},
        {"receipt": "R", "lines": [{"sku": "A\x00", "quantity": 1}]},
        {"receipt": "R", "lines": [{"sku": "A", "quantity": 0}]},
        {"receipt": "R", "lines": [{"sku": "A", "quantity": 1.5}]},
        {"receipt": "R", "lines": [{"sku": "A", "quantity": True}]},
        {"receipt": "R", "lines": [{"sku": "A", "quantity": 10**13}]},
        {"receipt": "R", "lines": [{"sku": "A", "quantity": 1, "amount_cents": -1}]},
        {"receipt": "R", "lines": [{"sku": "A", "quantity": 1, "return_of": 5}]},
        {"receipt": "", "lines": [{"sku": "A", "quantity": 1}]},
        {"receipt": "R", "currency": "USD", "lines": [{"sku": "A", "quantity": 1}]},
    ],
)
def test_what_can_not_be_told_says_why(body: dict[str, object]) -> None:
    till = Till()
    till.write("receipt", body)
    assert told(till).facts == () and told(till).problem


@pytest.mark.parametrize(
    "payments", [5, [5], [{"amount_cents": "5"}], [{}], [{"amount_cents": 499}]]
)
def test_payments_that_do_not_add_up_are_told_and_looked_at(payments: object) -> None:
    till = Till()
    lines = [{"sku": "A", "quantity": 1, "amount_cents": 500}]
    till.write("receipt", {"receipt": "R", "lines": lines, "payments": payments})
    assert len(told(till).facts) == 1 and told(till).problem


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
LINE = st.fixed_dictionaries(
    {"sku": st.text() | JSON, "quantity": st.integers() | JSON},
    optional={"amount_cents": st.integers() | JSON, "return_of": JSON},
)
BODY = (
    st.fixed_dictionaries(
        {"lines": st.lists(LINE, min_size=1, max_size=3)},
        optional={"receipt": st.text() | JSON, "currency": JSON, "payments": JSON},
    )
    | st.dictionaries(st.text(), JSON)
)  # fmt: skip


@given(st.sampled_from(["receipt", "count", "closed"]), BODY)
def test_whatever_a_body_holds_its_facts_can_be_recorded(kind: str, body: dict[str, Any]) -> None:
    till = Till()
    event = read_event(till.write("closed", {}), till.name)
    found = meaning(replace(event, kind=kind, body=body), STANDING, received_at=NOW)
    FACT_TYPES.checked(facts_table(found.facts))
