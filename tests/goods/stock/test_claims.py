"""Claims and quotas: promised stock stays on the books, and no unit is promised twice."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanhe.core.errors import BadInput, Conflict, NotFound, Shortage
from sanhe.core.storage import Database
from sanhe.core.values import derived_id
from sanhe.goods.stock import Claim, discrepancy_account, quota_account
from tests.goods.shop import START, Shop, counted, moved, rolled_back, sold

SOON = START + timedelta(minutes=15)


def claim(name: str, quantity: int, **given: Any) -> Claim:
    return Claim(
        id=derived_id("line", name),
        sku=given.pop("sku", "A"),
        place="S1",
        quantity=quantity,
        at=START,
        reference=f"order {name}",
        **given,
    )


def leave(shop: Shop, line: Claim, *, hour: int = 1) -> None:
    """The goods leave: the sale is told, what was committed goes, the stock follows."""
    batch = shop.facts.open_batch(source="orders", name="handed over")
    fact = sold(line.reference, line.quantity, hour=hour, source="orders")
    shop.facts.append(batch, [fact])
    shop.stock.uncommit([line])
    shop.follow(batch)


def position(shop: Shop) -> dict[str, int]:
    (row,) = shop.stock.positions([("A", "S1")]).to_pylist()
    names = ("on_hand", "reserved", "committed", "quota", "discrepancy", "net")
    return {name: row[name] for name in names if row[name]}


def free(shop: Shop, channel: str | None = None) -> tuple[int, int]:
    (row,) = shop.stock.available([("A", "S1")], channel=channel).to_pylist()
    return row["available"], row["quota"]


def test_an_order_from_claim_to_sale(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx, in_memory=False)
        shop.record([counted("c", 10)])
        line = claim("o", 3)
        held = shop.stock.claim([line], expires_at=SOON)
        assert position(shop) == {"on_hand": 10, "reserved": 3, "net": 10}
        assert free(shop) == (7, 0)
        shop.ledger.post_all(held)
        assert position(shop) == {"on_hand": 10, "reserved": 3, "committed": 3, "net": 10}
        leave(shop, line)
        assert position(shop) == {"on_hand": 7, "net": 7}
        assert shop.stock.verify() == 1
        shop.stock.uncommit([line])
        with pytest.raises(Shortage):
            shop.stock.uncommit([claim("never", 1)])


def test_facts_that_arrive_while_stock_is_committed(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 10)])
        shop.ledger.post_all(shop.stock.claim([claim("paid", 4)], expires_at=SOON))
        shop.stock.claim([claim("pending", 2)], expires_at=SOON)
        # Counted with what is paid for still on the shelf: nothing changes.
        shop.record([counted("c2", 10, hour=1)])
        assert position(shop) == {"on_hand": 10, "reserved": 6, "committed": 4, "net": 10}
        # A till sells more than is free: what is promised stays, the rest is a discrepancy.
        shop.record([sold("till", 7, hour=2)])
        expected = {"on_hand": 6, "reserved": 6, "committed": 4, "discrepancy": -3, "net": 3}
        assert position(shop) == expected
        assert free(shop) == (0, 0)
        assert (
            shop.ledger.balances([discrepancy_account("S1", "A")])[
                discrepancy_account("S1", "A")
            ].posted
            == -3
        )
        shop.record([counted("c3", 12, hour=3)])
        assert position(shop) == {"on_hand": 12, "reserved": 6, "committed": 4, "net": 12}
        assert shop.stock.verify() == 1
        shop.ledger.verify()


def test_a_quota_is_set_aside_and_given_back(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx, in_memory=False)
        with pytest.raises(NotFound, match="never counted"):
            shop.stock.allot("live", "S1", "A", quantity=4)
        shop.record([counted("c", 10)])
        with pytest.raises(NotFound, match="no quota"):
            shop.stock.give_back("live", "S1", "A")
        with pytest.raises(BadInput, match="channel"):
            shop.stock.allot("", "S1", "A", quantity=4)
        with pytest.raises(BadInput, match="below 1"):
            shop.stock.allot("live", "S1", "A", quantity=0)
        with pytest.raises(Shortage):
            shop.stock.allot("live", "S1", "A", quantity=11)
        shop.stock.allot("live", "S1", "A", quantity=4)
        assert position(shop) == {"on_hand": 10, "quota": 4, "net": 10}
        assert (free(shop), free(shop, "live"), free(shop, "app")) == ((6, 0), (6, 4), (6, 0))
        with pytest.raises(Shortage):
            shop.stock.claim([claim("app", 7, channel="app")], expires_at=SOON)
        shop.stock.claim([claim("live", 6, channel="live")], expires_at=SOON)
        assert (free(shop, "live"), position(shop)["reserved"]) == ((4, 0), 6)
        assert shop.stock.give_back("live", "S1", "A") == 0
        shop.ledger.expire(SOON)
        assert shop.stock.give_back("live", "S1", "A", quantity=1) == 1
        with pytest.raises(Shortage):
            shop.stock.give_back("live", "S1", "A", quantity=4)
        assert shop.stock.give_back("live", "S1", "A") == 3
        assert free(shop, "live") == (10, 0)
        assert shop.stock.verify() == 1


def test_a_quota_goes_before_a_promise_does(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 20)])
        for channel, quantity in (("app", 4), ("live", 6)):
            shop.stock.allot(channel, "S1", "A", quantity=quantity)
        shop.stock.claim([claim("live", 3, channel="live")], expires_at=SOON)
        shop.stock.claim([claim("any", 5)], expires_at=SOON)
        shop.record([sold("till", 8, hour=1)])
        assert position(shop) == {"on_hand": 12, "reserved": 8, "quota": 7, "net": 12}
        assert (free(shop, "app"), free(shop, "live")) == ((0, 1), (0, 3))
        shop.record([sold("till 2", 5, hour=2)])
        short = {"on_hand": 8, "reserved": 8, "quota": 3, "discrepancy": -1, "net": 7}
        assert position(shop) == short
        shop.record([moved("found", 6, hour=3)])
        assert position(shop) == {"on_hand": 13, "reserved": 8, "quota": 3, "net": 13}
        assert shop.stock.verify() == 1


def test_a_safety_stock_stays_for_others(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([counted("c", 10)])
        shop.stock.allot("live", "S1", "A", quantity=2)
        with pytest.raises(Shortage, match="below the 3 that must stay"):
            shop.stock.claim([claim("a", 6, keep=3)], expires_at=SOON)
        shop.stock.claim([claim("b", 7, keep=3, channel="live")], expires_at=SOON)
        assert free(shop, "live") == (3, 0)


def test_a_claim_made_again_is_never_held_twice(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx, in_memory=False)
        shop.record([counted("c", 10)])
        line = claim("a", 3, channel="live")
        held = shop.stock.claim([line], expires_at=SOON)
        assert shop.stock.claim([line], expires_at=SOON) == held
        assert shop.stock.claim_each([[line]], expires_at=SOON) == [held]
        shop.stock.allot("live", "S1", "A", quantity=2)
        with pytest.raises(Conflict):
            shop.stock.claim([line], expires_at=SOON)
        assert position(shop)["reserved"] == 3


def test_a_group_that_falls_short_leaves_its_share_to_the_next(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx, in_memory=False)
        shop.record([counted("c", 5), counted("d", 1, sku="B")])
        shop.stock.allot("live", "S1", "A", quantity=3)
        both = [claim("1", 3, channel="live"), claim("2", 2, channel="live", sku="B")]
        split, last = claim("3", 4, channel="live"), claim("4", 2, channel="live")
        one = claim("5", 1, channel="live")
        found = shop.stock.claim_each([both, [split], [last], [one]], expires_at=SOON)
        assert [ids and len(ids) for ids in found] == [None, 2, None, 1]
        assert free(shop, "live") == (0, 0)
        assert (
            shop.ledger.balances([quota_account("live", "S1", "A")]).popitem()[1].pending_out == 3
        )


def test_claims_race_with_quotas_and_imports(database: Database) -> None:
    """Orders of two channels, sales of tills and of orders, a quota: the books stay whole."""
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx, in_memory=False)
        shop.record([counted("c", 60)])
        leaving = [claim(f"2/{turn}", 1, channel="app") for turn in range(6)]
        shop.ledger.post_all(shop.stock.claim(leaving, expires_at=SOON))
    gate = threading.Barrier(16)

    def act(number: int) -> int:
        gate.wait()
        got = 0
        for turn in range(6):
            with database.transaction(actor="tester") as tx:
                shop = Shop.of(tx, in_memory=False)
                line = claim(f"{number}/{turn}", 1, channel="live" if number % 2 else "app")
                try:
                    if number == 0:
                        shop.record([sold(f"till {turn}", 4, hour=1)])
                    elif number == 1:
                        shop.stock.allot("live", "S1", "A", quantity=2)
                    elif number == 2:
                        leave(shop, line)
                    elif number % 3:
                        got += len(shop.stock.claim([line], expires_at=SOON))
                    else:
                        got += sum(map(bool, shop.stock.claim_each([[line]], expires_at=SOON)))
                except Shortage:
                    continue
        return got

    with ThreadPoolExecutor(16) as pool:
        got = sum(pool.map(act, range(16)))
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx, in_memory=False)
        found = position(shop)
        assert shop.stock.verify() == 1
        shop.ledger.verify()
        assert found["net"] == 60 - 24 - 6
        assert found["reserved"] == got <= found["on_hand"]


lines = st.lists(
    st.tuples(
        st.sampled_from(["claim", "pay", "cancel", "sell", "count", "allot", "give", "leave"]),
        st.integers(0, 5),
        st.integers(1, 6),
        st.sampled_from([None, "live", "app"]),
    ),
    max_size=20,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=lines)
def test_whatever_happens_the_books_agree_with_the_facts(
    database: Database, data: list[tuple[str, int, int, str | None]]
) -> None:
    held: dict[int, tuple[Claim, tuple[Any, ...]]] = {}
    paid: dict[int, Claim] = {}
    with database.transaction(actor="tester") as tx, rolled_back(tx) as shop:
        shop.record([counted("c", 12)])
        for hour, (what, name, quantity, channel) in enumerate(data, start=1):
            try:
                if what == "claim" and name not in held and name not in paid:
                    line = claim(f"{name} {hour}", quantity, channel=channel)
                    held[name] = line, shop.stock.claim([line], expires_at=SOON)
                elif what == "pay" and name in held:
                    paid[name], ids = held.pop(name)
                    shop.ledger.post_all(ids)
                elif what == "cancel" and name in held:
                    shop.ledger.void_all(held.pop(name)[1])
                elif what == "leave" and name in paid:
                    leave(shop, paid.pop(name), hour=hour)
                elif what in {"sell", "count"}:
                    told = sold if what == "sell" else counted
                    shop.record([told(f"{what}{hour}", quantity, hour=hour)])
                elif what == "allot":
                    shop.stock.allot(channel or "live", "S1", "A", quantity=quantity)
                elif what == "give":
                    shop.stock.give_back(channel or "live", "S1", "A")
            except (Shortage, NotFound):
                pass
            assert shop.stock.verify() == 1
            promised = sum(
                line.quantity for line in [*paid.values(), *(h[0] for h in held.values())]
            )
            found = position(shop)
            assert found.get("reserved", 0) == promised
            assert found.get("on_hand", 0) >= promised + max(free(shop)[0], 0)
        shop.ledger.verify()
