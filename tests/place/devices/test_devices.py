"""Tills that sync: once each, in any order; what goes wrong is told, and nobody is refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from uuid import UUID

import orjson
import pytest
import sqlalchemy as sa

from sanhe.core.errors import BadInput, Conflict, Denied, NotFound
from sanhe.core.facts import Fact
from sanhe.core.settings import Settings
from sanhe.goods.stock import Claim
from sanhe.place.devices import DeviceState, Reason, SignedEvent, Synced
from sanhe.wiring import Sanhe, Work
from tests.place.devices.till import START, Till
from tests.wiring.installation import opened

LATER = START + timedelta(days=1)


@pytest.fixture
def sanhe(database_settings: Settings) -> Iterator[Sanhe]:
    """A store S1 with a registered till-1 and ten of A."""
    with opened(database_settings, at=START) as made:
        with made.work(actor="importer") as work:
            place = fact("place.described", "S1", payload={"kind": "store", "name": "S1"})
            count = fact("stock.counted", "c", sku="A", quantity=10)
            record(work, [place, count])
        yield made


def fact(type_: str, name: str, **given: object) -> Fact:
    columns: dict[str, object] = {"place": "S1", "event_at": START, "day": date(2024, 6, 3)}
    return Fact(type=type_, source="erp", external_id=name, **(columns | given))  # type: ignore[arg-type]


def record(work: Work, facts: list[Fact]) -> None:
    batch = work.facts.open_batch(source="erp", name="test")
    assert not work.facts.append(batch, facts).contradicting
    work.follow(batch)


def registered(sanhe: Sanhe, till: Till | None = None) -> Till:
    """A till of S1, a day before now."""
    till = till or Till()
    with sanhe.work(actor="manager") as work:
        work.devices.register(till.name, "S1", till.public_key)
    sanhe.clock.moment = LATER  # type: ignore[attr-defined]
    return till


def sync(sanhe: Sanhe, till: Till, events: list[SignedEvent] | None = None) -> Synced:
    with sanhe.work(actor=f"till {till.name}") as work:
        return work.devices.sync(till.name, till.events if events is None else events)


def state(sanhe: Sanhe) -> dict[str, object]:
    """All that must not depend on the order of deliveries."""
    with sanhe.work(actor="auditor") as work:
        work.stock.verify()
        rows = work.stock.positions().to_pylist()
        return {
            "stock": {(row["sku"], row["place"]): (row["net"], row["on_hand"]) for row in rows},
            "facts": work.facts.digest(),
            "events": work.devices.digest(),
            "heads": [(one.id, one.head, one.told, one.state) for one in work.devices.all()],
        }


def on_hand(sanhe: Sanhe) -> int:
    with sanhe.work(actor="auditor") as work:
        (row,) = work.stock.positions([("A", "S1")]).to_pylist()
        return int(row["net"])


def waiting(sanhe: Sanhe) -> list[str]:
    with sanhe.work(actor="manager") as work:
        return sorted(task.subject for task in work.tasks.page(kinds=["discrepancy"])[0])


def test_what_was_sold_offline_arrives_once(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    for _ in range(4):
        till.sell()
    first = sync(sanhe, till, till.events[:3])
    assert (first.accepted, first.duplicates, first.head.sequence) == (3, 0, 3)
    second = sync(sanhe, till)
    assert (second.accepted, second.duplicates, second.refusal) == (1, 3, None)
    assert sync(sanhe, till).accepted == 0
    assert on_hand(sanhe) == 6
    with sanhe.work(actor="auditor") as work:
        assert work.facts.current(["sale.line"]).num_rows == 4
        assert work.devices.get("till-1").seen_at == LATER


def test_a_hole_is_refused_and_the_answer_says_where_to_go_on(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    for _ in range(4):
        till.sell()
    got = sync(sanhe, till, [till.events[0], till.events[2], till.events[3]])
    assert got.refusal is not None
    assert (got.refusal.reason, got.refusal.sequence) == (Reason.HOLE, 2)
    assert (got.accepted, on_hand(sanhe)) == (1, 9)
    assert sync(sanhe, till, till.events[got.head.sequence :]).accepted == 3


def test_a_sale_that_happened_is_not_refused_but_short(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    till.sell(quantity=8)
    till.sell(quantity=5)
    till.sell(sku="never counted")
    got = sync(sanhe, till)
    assert (got.accepted, got.refusal, got.problems) == (3, None, 0)
    assert [(short.sku, short.place, short.quantity) for short in got.shorts] == [("A", "S1", 3)]
    assert waiting(sanhe) == ["stock A"]
    till.sell()
    assert sync(sanhe, till).shorts[0].quantity == 4
    assert waiting(sanhe) == ["stock A"]


def test_the_last_units_have_one_winner_and_who_lost_them_is_named(sanhe: Sanhe) -> None:
    """The till has sold them physically: the order that came last is to be offered another."""
    till = registered(sanhe)
    until, claims = LATER + timedelta(minutes=15), []
    for number, quantity in enumerate((4, 3, 2)):
        claims.append(Claim(UUID(int=number + 1), "A", "S1", quantity, LATER, f"order {number}"))
        with sanhe.work(actor="shopper") as work:
            work.stock.claim([claims[-1]], expires_at=until)
    with sanhe.work(actor="auditor") as work:
        holds = work.ledger.holds([claims[0].on_hand])
    assert [hold.amount for hold in holds] == [4, 3, 2]
    till.sell()
    assert sync(sanhe, till).shorts == ()
    till.sell(quantity=3)
    (short,) = sync(sanhe, till).shorts
    assert (short.quantity, short.reservations) == (3, (holds[2].transfer, holds[1].transfer))
    # Once they are let go, what is left covers the order that came first.
    with sanhe.work(actor="orders") as work:
        work.ledger.void_all(short.reservations)
    till.sell(quantity=2)
    assert sync(sanhe, till).shorts == ()
    assert on_hand(sanhe) == 4


def test_an_event_that_can_not_be_told_does_not_stop_the_till(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    till.sell()
    till.write("receipt", {"lines": "?"})
    till.sell()
    got = sync(sanhe, till)
    assert (got.accepted, got.problems, got.untold) == (3, 1, 0)
    assert on_hand(sanhe) == 8
    assert waiting(sanhe) == ["device till-1"]
    with sanhe.work(actor="manager") as work:
        (problem,) = work.devices.problems("till-1")
    assert (problem.sequence, problem.why) == (2, "receipt is no text of 1 to 200 letters")


def test_a_receipt_written_down_twice_is_one_sale(sanhe: Sanhe) -> None:
    """A till killed in the middle of a payment writes it again under the same id."""
    till = registered(sanhe)
    name = "7f9c2c9e-0000-4000-8000-000000000001"
    body = {"receipt": "R1", "lines": [{"sku": "A", "quantity": 1, "amount_cents": 500}]}
    moment = (START + timedelta(hours=1)).isoformat()
    till.write("receipt", body, id=name, at=moment)
    till.write("receipt", body, id=name, at=moment)
    assert sync(sanhe, till).problems == 0
    assert on_hand(sanhe) == 9
    lines = [{"sku": "A", "quantity": 3, "amount_cents": 1500}]
    till.write("receipt", body | {"lines": lines}, id=name, at=moment)
    assert sync(sanhe, till).problems == 1
    assert on_hand(sanhe) == 9


def test_a_tampered_event_changes_nothing_and_blocks_nobody(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    event = till.sell()
    before = state(sanhe)
    more = SignedEvent(event.payload.replace('"quantity":1', '"quantity":9'), event.signature)
    got = sync(sanhe, till, [more])
    assert got.refusal is not None and got.refusal.reason is Reason.TAMPERED
    assert state(sanhe) == before
    assert waiting(sanhe) == ["device till-1"]
    assert sync(sanhe, till, [more, event]).accepted == 1
    assert on_hand(sanhe) == 9


def test_a_cloned_key_blocks_the_device_and_keeps_what_it_sent(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    till.sell()
    clone = till.clone()
    till.sell()
    clone.sell(quantity=2)
    assert sync(sanhe, till).accepted == 2
    got = sync(sanhe, clone)
    assert got.refusal is not None
    assert (got.refusal.reason, got.refusal.sequence) == (Reason.FORK, 2)
    assert (got.accepted, on_hand(sanhe)) == (0, 8)
    for either in (till, clone):
        with pytest.raises(Denied, match="blocked"):
            sync(sanhe, either)
    with sanhe.database.transaction(actor="auditor") as tx:
        kept = tx.connection.execute(
            sa.text("SELECT payload FROM device_problem WHERE payload IS NOT NULL")
        ).scalars()
        assert list(kept) == [clone.events[1].payload]


def test_a_renewed_device_goes_on_and_what_arrived_counts_once(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    till.sell()
    till.sell()
    sync(sanhe, till, till.events[:1])
    with sanhe.work(actor="manager") as work:
        assert work.devices.block("till-1", why="lost").state is DeviceState.BLOCKED
    fresh = Till()
    with sanhe.work(actor="manager") as work:
        with pytest.raises(Conflict, match="is known"):
            work.devices.renew("till-1", till.public_key)
        head = work.devices.renew("till-1", fresh.public_key).head
    # It signs both again, the one that had arrived too, under their ids and new numbers.
    for old in till.events:
        read = orjson.loads(old.payload)
        same = {name: read[name] for name in ("id", "at")}
        previous = fresh.previous if fresh.events else head.hash
        sequence = head.sequence + 1 + len(fresh.events)
        fresh.write(read["kind"], read["body"], sequence=sequence, previous=previous.hex(), **same)
    got = sync(sanhe, fresh)
    assert (got.accepted, got.problems, got.head.sequence) == (2, 0, 3)
    assert on_hand(sanhe) == 8


def test_a_days_total_told_too_makes_the_till_wait_and_not_fail(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    with sanhe.work(actor="importer") as work:
        total = fact("sale.day", "d", sku="A", quantity=1, event_at=START + timedelta(hours=20))
        batch = work.facts.open_batch(source="erp", name="days")
        work.facts.append(batch, [total])
        work.follow(batch)
    till.sell()
    got = sync(sanhe, till)
    assert (got.accepted, got.untold, got.refusal) == (1, 1, None)
    assert waiting(sanhe) == ["device till-1"]
    till.sell()
    assert sync(sanhe, till).untold == 2
    with sanhe.work(actor="manager") as work:
        assert len(work.devices.problems()) == 1
        work.follow(work.facts.undo(batch))
    assert sync(sanhe, till, []).untold == 0
    assert on_hand(sanhe) == 8


def test_who_is_unknown_or_brings_too_much_is_refused(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    with pytest.raises(NotFound, match="register it"):
        sync(sanhe, Till("till-9"), [])
    event = till.sell()
    with pytest.raises(BadInput, match="at most 1000"):
        sync(sanhe, till, [event] * 1001)
    with sanhe.work(actor="manager") as work:
        assert work.devices.register("till-1", "S1", till.public_key).head.sequence == 0
        for name, place, key, error in (
            ("till-1", "S1", Till().public_key, Conflict),
            ("till-2", "S1", till.public_key, Conflict),
            ("till-2", "nowhere", Till().public_key, NotFound),
            ("till/2", "S1", Till().public_key, BadInput),
        ):
            with pytest.raises(error):
                work.devices.register(name, place, key)


def together(sanhe: Sanhe, till: Till, parts: list[list[SignedEvent]]) -> list[Synced]:
    """Syncs of one device that run at the same time."""
    start, got = threading.Barrier(len(parts)), []

    def run(part: list[SignedEvent]) -> None:
        start.wait()
        got.append(sync(sanhe, till, part))

    threads = [threading.Thread(target=run, args=(part,)) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return got


def test_syncs_of_one_device_at_once_take_each_event_once(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    for _ in range(8):
        till.sell()
    got = together(sanhe, till, [till.events, till.events[:5], till.events, till.events[:2]])
    assert len(got) == 4 and sum(one.accepted for one in got) == 8
    assert {one.refusal for one in got} == {None}
    assert on_hand(sanhe) == 2


def test_without_the_lock_of_the_device_the_race_is_lost(
    sanhe: Sanhe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: when nobody waits, two take the same events and one of them fails."""
    from sanhe.place.devices import store

    till = registered(sanhe)
    for _ in range(8):
        till.sell()
    both, read = threading.Barrier(2), store.read_device

    def unlocked(tx: object, device: str, *, lock: bool = False) -> object:
        found = read(tx, device)  # type: ignore[arg-type]
        both.wait(10)
        return found

    monkeypatch.setattr(store, "read_device", unlocked)
    failed: list[type[BaseException]] = []
    monkeypatch.setattr(threading, "excepthook", lambda told: failed.append(told.exc_type))
    assert len(together(sanhe, till, [till.events, till.events])) == 1
    assert failed == [sa.exc.IntegrityError]


def test_a_session_of_the_server_that_ends_in_a_sync_leaves_nothing(sanhe: Sanhe) -> None:
    till = registered(sanhe)
    till.sell()
    before = state(sanhe)
    with pytest.raises(sa.exc.DBAPIError), sanhe.work(actor="till") as work:
        work.devices.sync("till-1", till.events)
        pid = work.devices._tx.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with sanhe.database.transaction(actor="admin") as other:
            other.connection.execute(sa.text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
    assert state(sanhe) == before
    assert sync(sanhe, till).accepted == 1
