"""Who an order goes to, from placing to erasing: sealed everywhere, shown to few, gone for good."""

from __future__ import annotations

import logging
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from sanhe.connectors.courier import SimulatedCouriers
from sanhe.core.errors import BadInput, Code, Conflict, Denied, NotFound, Temporary
from sanhe.core.persons import store
from sanhe.core.scope import Scope
from sanhe.core.settings import Settings
from sanhe.core.storage.server import binaries
from sanhe.core.values import new_id
from sanhe.place.fulfil import Booking, BookingState
from sanhe.place.orders import Basket, BasketLine, Delivery, Kept, Masked, Placing, Recipient
from sanhe.place.returns import Asked
from sanhe.wiring import (
    By,
    Ordered,
    cancel_order,
    erase_person,
    erase_recipients,
    masked_recipient,
    place_order,
    place_orders,
    quote_basket,
    show_recipient,
    upkeep,
)
from tests.place.fulfil.store import HOME, ZHANG, Town, town

SERVICE = By("service")
MARKER, ENGRAVED = "欧阳马克尔", "看得见的字"
MARKED = Recipient(MARKER, "13912345678", (f"{MARKER}路 1 号",), f"{MARKER}区", "200000", MARKER)
FETCHER = Recipient("李雷", "13800131234")


@pytest.fixture
def at(database_settings: Settings) -> Iterator[Town]:
    with town(database_settings) as made:
        yield made


def shown(at: Town, order: UUID, *, by: By = SERVICE, any_time: bool = True) -> Recipient:
    return show_recipient(at.sanhe, order, any_time=any_time, by=by)


def is_erased(at: Town, order: UUID) -> bool:
    with pytest.raises(NotFound) as refused:
        shown(at, order)
    assert masked_recipient(at.sanhe, at.order(order)) == Masked(Kept.ERASED)
    return refused.value.code is Code.ERASED


def delivered(at: Town, **how: str) -> UUID:
    """An order that a courier has brought."""
    order = at.paid(("A", 1), at=None, **how)
    at.run()
    at.pick(at.shipments(order)[0].place)
    for _ in range(3):
        at.run()
        at.wait(minutes=45)
    at.run()
    assert at.order(order).state == "complete"
    return order


def asked(units: int = 1, to: Recipient | None = ZHANG, *, at: str | None = None) -> Placing:
    delivery = Delivery("pickup", at) if at else Delivery("courier", None, *HOME)
    basket = Basket("web", "CNY", (BasketLine("A", units),), delivery)
    return Placing(basket, 0, to)


def priced(at: Town, placing: Placing) -> Placing:
    total = quote_basket(at.sanhe, placing.basket, by=By("shopper")).total_cents
    return Placing(placing.basket, total, placing.recipient)


def test_a_courier_needs_a_recipient_and_who_fetches_may_have_one(at: Town) -> None:
    for placing, field in (
        (asked(to=None), "recipient"),
        (asked(to=FETCHER), "recipient/lines"),
        (asked(at="S1"), "recipient/lines"),
    ):
        with pytest.raises(BadInput) as refused:
            place_order(at.sanhe, priced(at, placing), key=new_id().hex, by=By("shopper"))
        assert refused.value.place == field
    order = at.place(("A", 1), at="S1", recipient=FETCHER).id
    assert shown(at, order) == FETCHER
    nobody = at.place(("A", 1), at="S1").id
    assert masked_recipient(at.sanhe, at.order(nobody)) is None
    with pytest.raises(NotFound, match="names nobody"):
        shown(at, nobody)


def test_the_same_key_with_another_recipient_is_another_order(at: Town) -> None:
    one = priced(at, asked())
    by, key = By("shopper"), new_id().hex
    told = place_order(at.sanhe, one, key=key, by=by)
    assert place_order(at.sanhe, one, key=key, by=by) == told
    other = Placing(one.basket, one.agreed_cents, MARKED)
    with pytest.raises(Conflict) as refused:
        place_order(at.sanhe, other, key=key, by=by)
    assert refused.value.code is Code.KEY_REUSED
    # Without the master key nothing tells one address from another: a plain digest could be tried.
    call = Ordered(one, key, by).call(lambda text: "mark")
    assert isinstance(call.body, dict) and call.body["recipient"] == "mark"


def test_many_at_once_carry_their_recipients(at: Town) -> None:
    wanted = [priced(at, asked(to=to, at="S1")) for to in (FETCHER, None, FETCHER)]
    wanted += [priced(at, asked(to=MARKED)), priced(at, asked(to=None))]
    ordered = [Ordered(one, new_id().hex, By("shopper")) for one in wanted]
    answers = place_orders(at.sanhe, ordered)
    refused = answers.pop().refusal
    assert isinstance(refused, BadInput) and refused.place == "recipient"
    ids = [UUID(str(dict(one.result())["id"])) for one in answers]  # type: ignore[arg-type]
    assert [shown(at, ids[n]) for n in (0, 2, 3)] == [FETCHER, FETCHER, MARKED]
    assert masked_recipient(at.sanhe, at.order(ids[1])) is None


def test_a_store_sees_it_while_it_is_open_there_and_the_trail_says_so(at: Town) -> None:
    order = at.paid(("A", 1), at=None)
    at.run()
    (shipment,) = at.shipments(order)
    here = By("picker", Scope(frozenset({shipment.place})))
    elsewhere = By("other", Scope(frozenset({"nowhere"})))
    assert shown(at, order, by=here, any_time=False) == ZHANG
    with pytest.raises(NotFound):
        shown(at, order, by=elsewhere, any_time=False)
    at.pick(shipment.place)
    for _ in range(3):
        at.run()
        at.wait(minutes=45)
    at.run()
    with pytest.raises(Denied, match="not open here"):
        shown(at, order, by=here, any_time=False)
    assert shown(at, order) == ZHANG
    number = at.order(order).number
    with at.sanhe.work(actor="reader") as work:
        trail = work.audit.trail(subject=f"order {number}")
    assert [(one.actor, one.action) for one in trail] == [
        ("service", "recipient shown"),
        ("picker", "recipient shown"),
    ]


class Noting(SimulatedCouriers):
    """Notes whom each booking was asked for, which the simulator itself does not keep."""

    def ask(self, booking: Booking, recipient: Recipient | None) -> BookingState:
        state = super().ask(booking, recipient)
        self.__dict__.setdefault("noted", []).append((booking.state.value, recipient))
        return state


def test_a_courier_is_told_until_it_has_answered(at: Town) -> None:
    noting = Noting(at.clock)
    at.sanhe = replace(at.sanhe, couriers=noting)
    order = at.paid(("A", 1), at=None)
    at.run()
    at.pick(at.shipments(order)[0].place)
    for seconds in (3, 600, 3600):
        at.run()
        at.wait(seconds=seconds)
    at.run()
    noted = noting.__dict__["noted"]
    assert {to for state, to in noted if state == "asked"} == {ZHANG}
    assert {to for state, to in noted if state != "asked"} == {None}
    assert ZHANG.name not in repr(SimulatedCouriers.__dict__) + repr(vars(noting))


def test_a_guests_order_is_erased_alone_once_it_is_closed(at: Town) -> None:
    one, other = delivered(at), at.paid(("A", 1), at=None)
    with pytest.raises(Conflict, match="still open"):
        erase_person(at.sanhe, "asked", order=other, by=SERVICE)
    assert erase_person(at.sanhe, "asked", order=one, by=SERVICE)
    assert not erase_person(at.sanhe, "asked", order=one, by=SERVICE)
    assert is_erased(at, one)
    assert shown(at, other) == ZHANG


def test_a_members_orders_are_erased_together(at: Town) -> None:
    orders = [delivered(at, member="M1") for _ in range(2)]
    with pytest.raises(Conflict, match="erase the member"):
        erase_person(at.sanhe, "asked", order=orders[0], by=SERVICE)
    open_ = at.paid(("A", 1), at=None, member="M1")
    with pytest.raises(Conflict, match=f"\\({at.order(open_).number}\\)"):
        erase_person(at.sanhe, "asked", member="M1", by=SERVICE)
    key = new_id().hex
    cancel_order(at.sanhe, open_, reason="moved", pieces=None, key=key, by=SERVICE)
    assert erase_person(at.sanhe, "asked", member="M1", by=SERVICE)
    assert all(is_erased(at, order) for order in (*orders, open_))
    assert shown(at, delivered(at, member="M1")) == ZHANG


def test_guests_are_erased_when_their_time_is_over(at: Town) -> None:
    coming_back, guest, member = delivered(at), delivered(at), delivered(at, member="M1")
    unpaid = at.place(("A", 1), at=None).id
    with at.sanhe.work(actor="shopper") as work:
        work.returns.ask(Asked(coming_back, {0: 1}, "too big", "store", "S1"))
    at.wait(days=59)
    assert upkeep(at.sanhe).erased == 0
    at.wait(days=3)
    assert (upkeep(at.sanhe).erased, upkeep(at.sanhe).erased) == (1, 0)
    assert is_erased(at, guest)
    assert shown(at, member) == shown(at, coming_back) == ZHANG
    at.wait(days=61)
    assert upkeep(at.sanhe).erased == 1, "the unpaid one, which expired with the first run"
    assert is_erased(at, unpaid)


def test_the_days_are_the_policys(at: Town, tmp_path: Path) -> None:
    order = delivered(at)
    policy = tmp_path / "delivery.toml"
    policy.write_text("[recipients]\nkeep_days = 1\n")
    assert erase_recipients(at.sanhe) == 0
    at.wait(days=2)
    settings = replace(at.sanhe.settings, delivery=policy)
    assert erase_recipients(replace(at.sanhe, settings=settings)) == 1
    assert is_erased(at, order)


def test_without_the_key_file_orders_are_read_and_nothing_new_is_sealed(at: Town) -> None:
    order = at.paid(("A", 1), at=None)
    file = at.sanhe.settings.home / "persons.key"
    kept = file.rename(file.with_name("away"))
    assert masked_recipient(at.sanhe, at.order(order)) == Masked(Kept.AWAY)
    key, by, wanted = new_id().hex, By("shopper"), priced(at, asked())
    for _ in range(2):
        with pytest.raises(Temporary, match="is missing"):
            place_order(at.sanhe, wanted, key=key, by=by)
    kept.rename(file)
    assert place_order(at.sanhe, wanted, key=key, by=by), "the key was free again"


def in_thread(deed: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=deed)
    thread.start()
    return thread


@pytest.mark.parametrize("holds", [True, False])
def test_who_is_placing_is_waited_for_and_then_the_order_keeps_its_recipient(
    at: Town, monkeypatch: pytest.MonkeyPatch, holds: bool
) -> None:
    delivered(at, member="M1")
    if not holds:  # The control: a paid order that nobody can bring anywhere.
        unlocked = str(store._HOLD).replace("FOR KEY SHARE", "")
        monkeypatch.setattr(store, "_HOLD", sa.text(unlocked))
    outcomes: list[object] = []

    def erase() -> None:
        try:
            outcomes.append(erase_person(at.sanhe, "asked", member="M1", by=SERVICE))
        except Conflict as error:
            outcomes.append(error)

    wanted = Placing(
        Basket("web", "CNY", (BasketLine("A", 1),), Delivery("courier", None, *HOME), "M1"),
        quote_basket(at.sanhe, asked().basket, by=By("shopper")).total_cents,
        ZHANG,
    )
    with at.sanhe.work(actor="shopper") as work:
        placed = work.orders.place(wanted, work.sourcing)
        thread = in_thread(erase)
        thread.join(1.0)
        assert thread.is_alive() is holds
    thread.join()
    if holds:
        assert isinstance(outcomes[0], Conflict)
        assert shown(at, placed.id) == ZHANG
    else:
        assert outcomes == [True]
        assert is_lost(at, placed.id)


def is_lost(at: Town, order: UUID) -> bool:
    with pytest.raises(NotFound) as refused:
        shown(at, order)
    return refused.value.code is Code.ERASED


def dumped(saved: Path) -> str:
    """What a backup's dump says, as SQL."""
    restore = [str(binaries() / "pg_restore"), "--file=-", str(saved / "database.dump")]
    return subprocess.run(restore, capture_output=True, check=True).stdout.decode()


def everything(at: Town) -> str:
    """Every row of every table, as text, and every file of the home."""
    found = []
    with psycopg.connect(at.sanhe.database.owner_url) as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class AS c JOIN pg_namespace AS n "
            "ON n.oid = c.relnamespace WHERE c.relkind = 'r' AND n.nspname = 'public'"
        ).fetchall()
        for (table,) in tables:
            rows = connection.execute(f"SELECT t::text FROM {table} AS t").fetchall()
            found += [row[0] for row in rows]
    for path in at.sanhe.settings.home.rglob("*"):
        if path.is_file():
            found.append(path.read_bytes().decode("utf-8", "replace"))
    return "\n".join(found)


def test_a_whole_life_leaves_no_name_anywhere(
    at: Town, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    by = By("shopper")
    plain = asked(2, MARKED)
    line = BasketLine("A", 2, custom={"engraving": ENGRAVED})
    wanted = priced(at, replace(plain, basket=replace(plain.basket, lines=(line,))))
    told = place_order(at.sanhe, wanted, key=new_id().hex, by=by)
    assert isinstance(told, dict)
    order = UUID(str(told["id"]))
    for wrong in ("x" * 90 + MARKER, MARKER + "\x07"):
        spoilt = Placing(
            wanted.basket,
            wanted.agreed_cents,
            Recipient(wrong, MARKED.phone, MARKED.lines, MARKED.region),
        )
        with pytest.raises(BadInput):
            place_order(at.sanhe, spoilt, key=new_id().hex, by=by)
    at.pay(order)
    at.run()
    assert shown(at, order) == MARKED
    at.pick(at.shipments(order)[0].place)
    for _ in range(4):
        upkeep(at.sanhe)
        at.wait(minutes=45)
    assert at.order(order).state == "complete"
    with at.sanhe.work(actor="shopper") as work:
        back = work.returns.ask(Asked(order, {0: 1}, "too big", "store", "S1"))
        work.returns.receive(back.id, "S1", {0: 1})
    at.sanhe.refresh_lake()
    at.sanhe.backup(tmp_path / "saved")
    texts = everything(at)
    dump = dumped(tmp_path / "saved")
    for text in (texts, dump):
        assert str(order) in text and ENGRAVED in text, "else nothing would be found"
    logs = caplog.text + "".join(capfd.readouterr())
    for secret in (MARKER, MARKED.phone):
        assert secret not in texts
        assert secret not in dump
        assert secret not in logs
    for path in (tmp_path / "saved").rglob("*"):
        if path.is_file():
            assert MARKER.encode() not in path.read_bytes()
            assert path.name != "persons.key"
    assert "COPY public.person_key" not in dump
    assert shown(at, order) == MARKED
    erase_person(at.sanhe, "asked", order=order, by=SERVICE)
    assert is_erased(at, order)
