"""Stored value: what was paid ahead and what was given with it stay apart."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Conflict, NotFound, Shortage
from sanhe.core.ledger import MemoryLedger, PostgresLedger
from sanhe.core.storage import Database
from sanhe.people.loyalty import MemoryEntries, StoredBalance, StoredBook, StoredTopUp, StoredValue

NOON = datetime(2024, 6, 3, 4, tzinfo=UTC)
UNTIL = NOON + timedelta(minutes=15)


def topped_up() -> tuple[StoredBook, MemoryLedger]:
    ledger = MemoryLedger(FixedClock(NOON))
    book = StoredBook(ledger, MemoryEntries(), "CNY")
    book.top_up("M1", 10_000, given_cents=2_000, cause="payment/1", at=NOON)
    return book, ledger


def test_what_was_paid_is_spent_first_and_comes_back_last() -> None:
    book, ledger = topped_up()
    held = book.hold("M1", 11_000, cause="order/1", at=NOON, until=UNTIL)
    assert book.balance("M1") == StoredBalance(0, 1_000, 11_000)
    ledger.post_all(held)
    book.give_back("M1", 1_500, cause="order/1", step="1", at=NOON)
    assert book.balance("M1") == StoredBalance(500, 2_000, 0)
    book.give_back("M1", 9_500, cause="order/1", step="2", at=NOON)
    assert book.balance("M1") == StoredBalance(10_000, 2_000, 0)
    with pytest.raises(Conflict, match="1 can't come back"):
        book.give_back("M1", 1, cause="order/1", step="3", at=NOON)


def test_the_same_again_changes_nothing() -> None:
    book, _ = topped_up()
    book.top_up("M1", 10_000, given_cents=2_000, cause="payment/1", at=UNTIL)
    first = book.hold("M1", 100, cause="order/1", at=NOON, until=UNTIL)
    assert book.hold("M1", 100, cause="order/1", at=UNTIL, until=UNTIL) == first
    assert book.balance("M1") == StoredBalance(9_900, 2_000, 100)
    for paid, given in ((9_000, 3_000), (10_000, 2_001), (12_000, 0)):
        with pytest.raises(Conflict, match="payment/1"):
            book.top_up("M1", paid, given_cents=given, cause="payment/1", at=NOON)


def test_what_is_not_there_can_not_be_spent() -> None:
    book, _ = topped_up()
    with pytest.raises(Shortage, match="has 12000 cents stored, not 12001"):
        book.hold("M1", 12_001, cause="order/1", at=NOON, until=UNTIL)
    with pytest.raises(BadInput, match="-1 given"):
        book.top_up("M1", 5, given_cents=-1, cause="payment/2", at=NOON)
    assert book.balance("nobody") == StoredBalance(0, 0, 0)


def test_a_top_up_is_refunded_whole_once_while_all_of_it_is_left() -> None:
    book, ledger = topped_up()
    held = book.hold("M1", 1, cause="order/1", at=NOON, until=UNTIL)
    with pytest.raises(Shortage, match="9999 cents paid are left of 10000"):
        book.refund("M1", cause="payment/1", step="r1", at=NOON)
    ledger.void_all(held)
    for _ in range(2):
        told = book.refund("M1", cause="payment/1", step="r1", at=NOON)
        assert told == StoredTopUp(10_000, 2_000)
        assert book.balance("M1") == StoredBalance(0, 0, 0)
    book.top_up("M1", 10_000, given_cents=2_000, cause="payment/2", at=NOON)
    with pytest.raises(Conflict, match="refunded before"):
        book.refund("M1", cause="payment/1", step="r2", at=NOON)
    for member, cause in (("M1", "payment/3"), ("M2", "payment/2")):
        with pytest.raises(NotFound):
            book.refund(member, cause=cause, step="r3", at=NOON)
    assert book.balance("M1") == StoredBalance(10_000, 2_000, 0)


def test_it_is_kept_in_the_database(database: Database) -> None:
    with database.transaction(actor="shop") as tx:
        ledger = PostgresLedger(tx)
        stored = StoredValue(tx, ledger, "CNY")
        stored.top_up("M1", 100, given_cents=0, cause="payment/1", at=NOON)
        ledger.post_all(stored.hold("M1", 40, cause="order/1", at=NOON, until=UNTIL))
        assert stored.balance("M1") == StoredBalance(60, 0, 0)
        told = [(line.what, line.lot, line.amount) for line in stored.history("M1", limit=9).lines]
        assert told == [("spent", "paid", -40), ("earned", "paid", 100)]
        assert sum(ledger.accounts("stored")["posted"].to_pylist()) == 0
