"""The life of an order and what a basket costs: pure rules."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.goods.catalog import Selling
from sanhe.place.orders import Basket, BasketLine, Delivery, LineState, Outcome, State
from sanhe.place.orders.basket import MOST_LINES, check_basket, priced_lines, tax_cents
from sanhe.place.orders.rules import Due, outcome_of, share_cents, state_of

NOW = datetime(2024, 6, 3, 9, tzinfo=UTC)
PICKUP = Delivery("pickup", place="S001")
TEA = Selling("TEA", "Tea", "g", 1_999, "CNY", 500, True, 130_000)
SET = Selling("SET", "Tea set", "each", 9_900, "CNY", 1, False, 130_000, (("TEA", 250), ("CUP", 2)))


def basket(*lines: BasketLine, **other: object) -> Basket:
    return Basket(
        **{"channel": "web", "currency": "CNY", "delivery": PICKUP, **other, "lines": lines}
    )  # type: ignore[arg-type]


@settings(deadline=None)
@given(amount=st.integers(0, 10**9), quantity=st.integers(1, 500), data=st.data())
def test_however_a_line_is_taken_apart_its_parts_sum_to_its_amount(
    amount: int, quantity: int, data: st.DataObject
) -> None:
    state = LineState(quantity, amount)
    worth = 0
    while state.open:
        units = data.draw(st.integers(1, state.open))
        cents = state.worth_cents(units)
        worth += cents
        assert cents >= 0
        if data.draw(st.booleans()):
            state = LineState(
                quantity,
                amount,
                state.handed + units,
                state.cancelled,
                0,
                state.handed_cents + cents,
                0,
            )
        else:
            state = LineState(
                quantity, amount, state.handed, state.cancelled + units, 0, state.handed_cents, 0
            )
    assert worth == amount
    back = returned = 0
    while returned < state.handed:
        units = data.draw(st.integers(1, state.handed - returned))
        now = LineState(
            quantity, amount, state.handed, state.cancelled, returned, state.handed_cents, back
        )
        returned, back = returned + units, back + now.return_cents(units)
    assert back == state.handed_cents


def test_a_share_outside_the_line_is_refused() -> None:
    with pytest.raises(BadInput):
        share_cents(100, 4, of=3)


@pytest.mark.parametrize(
    ("state", "amount", "currency", "late", "outcome"),
    [
        (State.PLACED, 500, "CNY", False, Outcome.TAKEN),
        (State.PLACED, 500, "CNY", True, Outcome.LATE),
        (State.PLACED, 499, "CNY", False, Outcome.DIFFERS),
        (State.PLACED, 500, "USD", False, Outcome.DIFFERS),
        (State.PLACED, 499, "CNY", True, Outcome.LATE),
        (State.EXPIRED, 500, "CNY", False, Outcome.LATE),
        (State.CANCELLED, 500, "CNY", False, Outcome.CLOSED),
        (State.PAID, 500, "CNY", False, Outcome.TWICE),
        (State.COMPLETE, 500, "CNY", True, Outcome.TWICE),
    ],
)
def test_a_payment_is_taken_once_in_time_and_in_full(
    state: State, amount: int, currency: str, late: bool, outcome: Outcome
) -> None:
    due = Due(state, 500, "CNY", NOW if late else NOW + timedelta(seconds=1))
    assert outcome_of(due, amount_cents=amount, currency=currency, now=NOW) is outcome


def test_where_an_order_stands_follows_from_its_lines() -> None:
    assert state_of([LineState(2, 100)], paid=False) is State.PLACED
    assert state_of([LineState(2, 100, handed=1)], paid=True) is State.PAID
    assert state_of([LineState(2, 100, handed=1, cancelled=1)], paid=True) is State.COMPLETE
    assert state_of([LineState(2, 100, cancelled=2)], paid=True) is State.CANCELLED


def test_a_line_costs_its_share_of_the_price_with_the_tax_in_it() -> None:
    tea, tea_set = priced_lines(
        [BasketLine("TEA", 750), BasketLine("SET", 2)], {"TEA": TEA, "SET": SET}
    )
    assert (tea.amount_cents, tea.tax_cents) == (2_999, 345)
    assert (tea_set.amount_cents, tea_set.tax_cents) == (22_374, 2_574)
    assert tea.needs == (("TEA", 750),)
    assert tea_set.needs == (("TEA", 500), ("CUP", 4))


def test_a_quantity_in_another_unit_is_converted() -> None:
    (tea,) = priced_lines([BasketLine("TEA", 2, unit="kg")], {"TEA": TEA})
    assert tea.quantity == 2_000


@pytest.mark.parametrize(
    ("line", "place"),
    [
        (BasketLine("NO", 1), "lines/0/sku"),
        (BasketLine("DEAR", 1), "lines/0/sku"),
        (BasketLine("TEA", 1, unit="each"), "lines/0/unit"),
        (BasketLine("TEA", 1, unit="5 "), "lines/0/unit"),
    ],
)
def test_what_can_t_be_priced_is_named(line: BasketLine, place: str) -> None:
    dear = Selling("DEAR", "Dear", "each", None, None, 1, True, None)
    with pytest.raises(BadInput) as refused:
        priced_lines([line], {"TEA": TEA, "DEAR": dear})
    assert refused.value.place == place
    assert refused.value.remedy


@pytest.mark.parametrize(
    ("given", "place"),
    [
        (basket(BasketLine("TEA", 1), channel="pigeon"), "channel"),
        (basket(BasketLine("TEA", 1), currency="USD"), "currency"),
        (basket(), "lines"),
        (basket(*[BasketLine("TEA", 1)] * (MOST_LINES + 1)), "lines"),
        (basket(BasketLine("TEA", 1), BasketLine("TEA", -1)), "lines/1/quantity"),
        (basket(BasketLine("TEA", 0)), "lines/0/quantity"),
        (basket(BasketLine("TEA", 10**12)), "lines/0/quantity"),
        (basket(BasketLine("TEA", 1), delivery=Delivery("fly")), "delivery/method"),
        (basket(BasketLine("TEA", 1), delivery=Delivery("pickup")), "delivery/place"),
        (basket(BasketLine("TEA", 1), delivery=Delivery("courier")), "delivery/latitude"),
    ],
)
def test_a_basket_that_can_t_be_ordered_names_its_field(given: Basket, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        check_basket(given, currency="CNY")
    assert refused.value.place == place


@given(amount=st.integers(0, 10**10), rate=st.integers(0, 300_000))
def test_tax_taken_out_and_put_on_again_is_the_same_amount(amount: int, rate: int) -> None:
    inside = tax_cents(amount, rate, included=True)
    assert inside is not None
    on_top = tax_cents(amount - inside, rate, included=False)
    assert on_top is not None and abs(on_top - inside) <= 1
