"""Payments from the shopper's phone to the books, over HTTP: late, lost, twice, taken back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from sanhe.connectors.wechatpay import Faults, Refusal
from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.storage import EmbeddedServer
from sanhe.place.orders import store
from sanhe.wiring import By, Payer, prepare_payment, take_at_till
from tests.wiring.shopping import CENTS, STAFF, STOCK, Shopping, shopping

TOTAL = 3 * CENTS


@pytest.fixture
def shop(server: EmbeddedServer, tmp_path: Path) -> Iterator[Shopping]:
    with shopping(server, tmp_path) as made:
        yield made


def settled(shop: Shopping) -> None:
    """Nothing is owed, nothing is open with a provider."""
    assert shop.money() == {} and shop.free() == STOCK


def test_a_payment_is_told_once_however_often_it_is_sent(shop: Shopping) -> None:
    order = shop.paid()
    notice = shop.pay.schedule.waiting[0]
    assert shop.pay.deliver() == [204]
    shop.pay.schedule.waiting.append(notice)
    assert shop.pay.deliver() == [204]
    assert shop.state(order) == "paid" and shop.outcomes(order) == ["taken"]
    assert shop.money() == {"provider/wechatpay/S1": TOTAL, "owed/S1": -TOTAL}
    assert shop.events(order) == ["placed", "payment_asked", "paid"]
    assert shop.run().closed == 0, "what was told as paid is not asked for"


def test_an_order_is_asked_for_as_often_as_the_shopper_likes(shop: Shopping) -> None:
    order = shop.order()
    shop.prepare(order)
    shop.prepare(order)
    assert shop.events(order) == ["placed", "payment_asked"]
    shop.pay.pay(order)
    shop.pay.deliver()
    with pytest.raises(Conflict, match="nothing to pay"):
        shop.prepare(order)


def test_who_pays_twice_gets_the_second_back(shop: Shopping) -> None:
    order = shop.paid()
    said = take_at_till(
        shop.sanhe, order, "cash", amount_cents=TOTAL, reference="receipt 7", by=By(STAFF)
    )
    again = take_at_till(
        shop.sanhe, order, "cash", amount_cents=TOTAL, reference="receipt 7", by=By(STAFF)
    )
    assert said == again and said.outcome.value == "taken"
    assert shop.pay.deliver() == [204]
    assert sorted(shop.outcomes(order)) == ["taken", "twice"]
    assert shop.run().running == 1
    assert shop.pay.deliver() == [204]
    assert shop.pay.given_back(order) == TOTAL and shop.open_refunds(order) == []
    assert shop.money() == {"provider/cash/S1": TOTAL, "owed/S1": -TOTAL}


def test_cash_for_a_paid_order_is_given_back_at_once(shop: Shopping) -> None:
    order = shop.paid()
    shop.pay.deliver()
    second = take_at_till(
        shop.sanhe, order, "cash", amount_cents=TOTAL, reference="receipt 8", by=By(STAFF)
    )
    assert second.outcome.value == "twice" and shop.open_refunds(order) == []
    assert shop.run().refunded == 0, "it was said already"
    assert shop.money() == {"provider/wechatpay/S1": TOTAL, "owed/S1": -TOTAL}


def test_a_till_says_what_it_takes_and_of_which_slip(shop: Shopping) -> None:
    order = shop.order()
    for tender, reference in (("cheque", "7"), ("card", "")):
        with pytest.raises(BadInput):
            take_at_till(
                shop.sanhe, order, tender, amount_cents=TOTAL, reference=reference, by=By(STAFF)
            )
    with pytest.raises(BadInput, match="paid at the till"):
        prepare_payment(shop.sanhe, order, "cash", payer=Payer("jsapi"), by=By(STAFF))
    with pytest.raises(NotFound, match="SANHE_PAYMENTS"):
        prepare_payment(shop.sanhe, order, "alipay", payer=Payer("jsapi"), by=By(STAFF))


def test_a_payment_that_is_told_too_late_goes_back(shop: Shopping) -> None:
    order = shop.paid()
    shop.wait(minutes=16)
    with shop.sanhe.work(actor="clock") as work:
        work.orders.expire()
    assert shop.free() == STOCK
    assert shop.pay.deliver() == [204]
    assert shop.state(order) == "expired" and shop.outcomes(order) == ["late"]
    shop.run()
    shop.pay.deliver()
    assert shop.pay.given_back(order) == TOTAL
    settled(shop)


def test_a_lost_notice_is_found_before_the_order_expires(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with shopping(server, tmp_path, faults=Faults(lost=1)) as shop:
        order = shop.paid()
        assert shop.pay.deliver() == [] and shop.run().found == 0, "there is time yet"
        shop.wait(minutes=14)
        assert shop.run().found == 1 and shop.state(order) == "paid"
        assert shop.run().found == 0
        shop.wait(minutes=2)
        shop.run()
        assert shop.state(order) == "paid" and shop.free() == STOCK - 3


def test_in_the_last_minute_no_money_is_taken_any_more(shop: Shopping) -> None:
    order = shop.order()
    shop.prepare(order)
    shop.wait(minutes=14)
    with pytest.raises(Refusal):
        shop.pay.pay(order)
    assert shop.run().closed == 1 and shop.run().closed == 0
    assert shop.events(order)[-1] == "payment_closed" and shop.state(order) == "placed"
    shop.wait(minutes=1)
    shop.run()
    assert shop.state(order) == "expired"
    settled(shop)


def test_a_cancelled_order_is_closed_with_the_provider(shop: Shopping) -> None:
    order = shop.order()
    shop.prepare(order)
    shop.cancel(order)
    assert shop.run().closed == 1
    with pytest.raises(Refusal):
        shop.pay.pay(order)


def test_an_order_paid_in_cash_is_closed_with_the_provider(shop: Shopping) -> None:
    order = shop.order()
    shop.prepare(order)
    take_at_till(shop.sanhe, order, "card", amount_cents=TOTAL, reference="slip 1", by=By(STAFF))
    assert shop.run().closed == 1
    with pytest.raises(Refusal):
        shop.pay.pay(order)


def test_another_amount_goes_back_whole(shop: Shopping) -> None:
    order = shop.order()
    shop.prepare(order)
    shop.pay.pay(order, amount=TOTAL - 1)
    shop.pay.deliver()
    assert shop.state(order) == "placed" and shop.outcomes(order) == ["differs"]
    shop.run()
    shop.pay.deliver()
    assert shop.pay.given_back(order) == TOTAL - 1 and shop.money() == {}


def test_partial_refunds_sum_exactly(shop: Shopping) -> None:
    order = shop.paid()
    shop.pay.deliver()
    shop.cancel(order, 1)
    shop.cancel(order, 1)
    assert shop.run().away == {"wechatpay": 1}, "two of an order are a minute apart"
    shop.wait(minutes=1)
    assert shop.run().running == 2, "one still runs, the other is taken now"
    shop.cancel(order, 1)
    shop.wait(minutes=2)
    shop.run()
    shop.pay.deliver()
    assert shop.pay.given_back(order) == TOTAL and shop.state(order) == "cancelled"
    with shop.sanhe.work(actor="reader") as work:
        cents = [one.amount_cents for one in work.orders.refunds(order)]
    assert cents == [CENTS, CENTS, CENTS] and shop.open_refunds(order) == []
    settled(shop)


def test_a_refund_whose_notice_is_lost_is_asked_for_again(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    wait = timedelta(minutes=5)
    with shopping(server, tmp_path, refund_time=wait) as shop:
        order = shop.paid()
        shop.pay.deliver()
        shop.pay.schedule.faults = Faults(lost=1)
        shop.cancel(order)
        tries = []
        for minute in range(20):
            run = shop.run()
            tries += [minute] * (run.running + run.refunded)
            shop.pay.deliver()
            shop.wait(minutes=1)
        assert tries == [0, 1, 3, 7], "after 1, 2, 4 minutes; done at the fourth"
        settled(shop)


def test_what_a_provider_refuses_is_said_and_stays_open(shop: Shopping) -> None:
    order = shop.order()
    prepare_payment(
        shop.sanhe, order, "wechatpay", payer=Payer("jsapi", name="o-closed"), by=By(STAFF)
    )
    shop.pay.trades.closed_accounts.add("o-closed")
    shop.pay.pay(order)
    shop.pay.deliver()
    shop.cancel(order)
    shop.run()
    assert shop.pay.deliver() == [204]
    for _ in range(3):
        shop.wait(hours=30)
        run = shop.run()
        assert len(run.refused) == 1 and "merchant platform" in run.refused[0]
    assert shop.open_refunds(order) == [TOTAL]
    assert shop.events(order).count("refund_refused") == 2, "told by notice, and when asked"


def test_a_provider_that_is_away_loses_nothing(shop: Shopping) -> None:
    lost, unpaid = shop.paid(), shop.order()
    shop.prepare(unpaid)
    shop.pay.schedule.waiting.clear()
    shop.wait(minutes=14)
    shop.pay.stop()
    run = shop.run()
    assert run.away["wechatpay"] == 2 and (run.found, run.closed) == (0, 0)
    shop.pay.start()
    run = shop.run()
    assert (run.found, run.closed) == (1, 1)
    assert (shop.state(lost), shop.state(unpaid)) == ("paid", "placed")


@pytest.mark.parametrize("locked", [True, False])
def test_two_notices_at_once_have_one_effect(
    server: EmbeddedServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, locked: bool
) -> None:
    """Both are made to look whether the payment is known before either writes it: only the
    order's lock keeps them apart. Without it, the control, one of them fails."""
    both = threading.Barrier(2)
    known = store.known_payment

    def slow(tx: object, provider: str, reference: str) -> object:
        found = known(tx, provider, reference)  # type: ignore[arg-type]
        try:
            both.wait(1.5)
        except threading.BrokenBarrierError:
            assert locked, "without the lock both come here"
        return found

    monkeypatch.setattr(store, "known_payment", slow)
    if not locked:
        monkeypatch.setattr(store, "lock", lambda tx, order: True)
    with shopping(server, tmp_path, faults=Faults(twins=1)) as shop:
        order = shop.paid()
        statuses = shop.pay.deliver()
        assert (sorted(statuses) == [204, 204]) is locked, statuses
        assert shop.outcomes(order) == ["taken"] and shop.state(order) == "paid"
        assert shop.money() == {"provider/wechatpay/S1": TOTAL, "owed/S1": -TOTAL}
        assert shop.events(order).count("paid") == 1


@pytest.mark.parametrize("seed", [1, 2])
def test_in_a_storm_every_cent_is_accounted_for(
    server: EmbeddedServer, tmp_path: Path, seed: int
) -> None:
    """Notices lost, up to half an hour late, twice and twice at once: in the end the books and
    WeChat Pay agree on each order."""
    faults = Faults(lost=0.2, late_seconds=1800, repeated=0.3, twins=0.2)
    with shopping(server, tmp_path, seed=seed, faults=faults) as shop:
        orders: list[UUID] = []
        for at in range(12):
            order = shop.order(1 + at % 3)
            shop.prepare(order)
            if at % 4 != 3:
                shop.pay.pay(order)
            orders.append(order)
        shop.cancel(orders[0])
        for _ in range(45):
            shop.wait(minutes=1)
            statuses = shop.pay.deliver()
            assert set(statuses) <= {204}
            shop.run()
        held = 0
        for at, order in enumerate(orders):
            told, back = shop.told(order), shop.pay.given_back(order)
            paid = at % 4 != 3
            kept = told.total_cents - back if paid else 0
            assert shop.open_refunds(order) == []
            assert kept == (told.total_cents if told.state.value == "paid" else 0), told
            assert told.state.value == (
                "expired" if not paid else "cancelled" if at == 0 else "paid"
            )
            held += kept
        assert held > 0 and shop.money() == {"provider/wechatpay/S1": held, "owed/S1": -held}
