"""Who may see some places or suppliers only sees their rows, and all of them, by every reading.

The expectation is computed here from what is seen by who sees everything, in plain Python: the
policies are not asked. Each policy is taken away once, and the suite must then fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa

from sanhe.core.commands import Answer, Call
from sanhe.core.decisions import Status
from sanhe.core.errors import Denied, NotFound
from sanhe.core.scope import EVERYTHING, Scope
from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer, Transaction
from sanhe.core.storage.database import urls_of
from sanhe.core.values import new_id
from sanhe.goods.demand import Demand
from sanhe.place.fulfil import Booking, BookingState
from sanhe.place.fulfil import store as shipment_store
from sanhe.place.orders import PaymentNotice, Piece
from sanhe.place.orders import store as order_store
from sanhe.place.returns import Asked, Verdict
from sanhe.place.tasks import NewTask
from sanhe.wiring import PlanRequest, Sanhe, approve, plan, record_facts, run_jobs
from sanhe.wiring.work import EVERYWHERE, Work, construct
from tests.place.devices.till import Till
from tests.wiring.files import deliveries
from tests.wiring.installation import MORNING, installed, opened

Row = Mapping[str, Any]
DAY = date(2025, 9, 25)
ACTOR = "lin"


@dataclass(frozen=True)
class Seen:
    """What an identity may see, in plain words; None = all."""

    places: frozenset[str] | None
    suppliers: frozenset[str] | None

    def at(self, place: str | None) -> bool:
        return self.places is None or place in self.places

    def anywhere(self, place: str | None) -> bool:
        return place is None or self.at(place)

    def of(self, supplier: str | None) -> bool:
        return self.suppliers is None or supplier in self.suppliers

    @property
    def inside(self) -> bool:
        return self.suppliers is None

    @property
    def everything(self) -> bool:
        return self.places is None and self.suppliers is None


@pytest.fixture(scope="module")
def retailer(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The tiny retailer with proposals, orders, a decision of all places, and rows by hand."""
    with installed(server, tmp_path_factory.mktemp("isolated")) as settings:
        with opened(settings) as sanhe:
            record_facts(sanhe, deliveries(), source="sim", actor="importer")
            plan(sanhe, PlanRequest(horizon_days=14, method="same_weekday_mean"), actor=ACTOR)
            with sanhe.work(actor=ACTOR) as work:
                proposed = work.decisions.find(statuses={Status.PROPOSED}, limit=500)
            approve(sanhe, [d.number for d in proposed[::2]], actor=ACTOR, reason="")
            run_jobs(sanhe)
            with sanhe.database.transaction(actor="else") as tx:
                _rows_by_hand(tx)
        yield settings


def _rows_by_hand(tx: Transaction) -> None:
    """What the tiny retailer has none of: one row each for what holds everywhere and elsewhere."""
    run = tx.connection.exec_driver_sql
    places = [row[0] for row in run("SELECT id FROM place ORDER BY id")]
    sku, supplier = run("SELECT sku, supplier FROM supply_agreement ORDER BY 1 LIMIT 1").one()
    run("DELETE FROM holiday")
    for number, place in enumerate([None, *places[:2]], start=1):
        tx.connection.execute(
            sa.text("INSERT INTO holiday VALUES (:number, '2025-10-01', :place, 'National', 'p')"),
            {"number": number, "place": place},
        )
        tx.connection.execute(
            sa.text(
                "INSERT INTO price_setting (external_id, source, event_at, day, sku, place, "
                "price_cents, per_units) VALUES (:id, 'hand', now(), '2025-09-01', :sku, :place, "
                "100, 1)"
            ),
            {"id": f"p{number}", "sku": sku, "place": place},
        )
        tx.connection.execute(
            sa.text(
                "INSERT INTO purchase_closure (external_id, source, event_at, day, order_name, "
                "sku, place) VALUES (:id, 'hand', now(), '2025-09-20', :name, :sku, :place)"
            ),
            {"id": f"c{number}", "name": "nobody's", "sku": sku, "place": place},
        )
    for table in ("purchase_outside", "purchase_receipt"):
        for number, (place, of) in enumerate((p, s) for p in places for s in (supplier, None)):
            tx.connection.execute(
                sa.text(
                    f"INSERT INTO {table} (external_id, source, event_at, day, order_name, sku, "
                    "place, supplier, quantity) VALUES (:id, 'hand', now(), '2025-09-20', :name, "
                    ":sku, :place, :supplier, 3)"
                ),
                {
                    "id": f"{table}{number}", "name": f"X{number}", "sku": sku,
                    "place": place, "supplier": of,
                },
            )  # fmt: skip
    run(
        "INSERT INTO purchase_order (name, supplier, supplier_name, place, ordered_on, due, "
        "currency, run, created_at, created_by, transfer) VALUES ('T1', %s, 'w', %s, "
        "'2025-09-20', '2025-09-30', 'CNY', gen_random_uuid(), now(), 'x', true)",
        (places[0], places[1]),
    )
    run(
        "INSERT INTO purchase_order_line (order_name, line, sku, name, quantity) "
        "VALUES ('T1', 1, %s, 'n', 5)",
        (sku,),
    )
    run(
        "INSERT INTO transfer_departure VALUES ('d', 'hand', now(), '2025-09-21', 'T1', %s, %s, 5)",
        (sku, places[0]),
    )
    run(
        "INSERT INTO decision (number, id, run, kind, kind_version, sku, place, value, "
        "proposed_value, value_cents, terms, created_at, created_by, reason, method, label, "
        "inputs) OVERRIDING SYSTEM VALUE SELECT 900001, gen_random_uuid(), gen_random_uuid(), "
        "name, version, %s, NULL, 1, 1, 1, '{1}', now(), 'x', 'r', 'm', '', '{}' "
        "FROM decision_kind LIMIT 1",
        (sku,),
    )
    run(
        "INSERT INTO decision_event (decision, at, actor, status, reason) "
        "VALUES (900001, now(), 'x', 'proposed', '')"
    )
    for number, place in enumerate(places[:3]):
        run(
            "INSERT INTO store_description (external_id, source, event_at, day, place, hours, "
            "pick_capacity_per_hour) VALUES (%s, 'hand', now(), '2025-09-01', %s, '24/7', 9)",
            (f"s{number}", place),
        )
        run(
            "INSERT INTO courier_offer (external_id, source, event_at, day, place, courier, "
            "base_fee_cents, speed_km_per_hour, offered) "
            "VALUES (%s, 'hand', now(), '2025-09-01', %s, 'c', 500, 15, true)",
            (f"c{number}", place),
        )
    work = construct(tx, Settings(home=Path("/nowhere")))
    work.tasks.open([NewTask(place, "count", sku) for place in places])
    for number, place in enumerate(places):
        till = Till(f"till-{number}")
        work.devices.register(till.name, place, till.public_key)
        till.sell(), till.write("sing", {})
        work.devices.sync(till.name, till.events)
    calls = [Call(actor, "test", "key", {}) for actor in ("else", ACTOR)]
    work.commands.once_each(calls, lambda fresh: [Answer() for _ in fresh])
    _orders_by_hand(work, places, sku)
    _coupons_by_hand(tx)
    for row in work.stock.positions().to_pylist():
        if row["on_hand"] > row["reserved"]:
            work.stock.allot("live", row["place"], row["sku"], quantity=1)
    work.points.earn("M1", 5, cause="c", at=MORNING, expires_on=DAY)
    for member in ("M1", "M2"):
        work.tiers.join(member, at=MORNING)
    work.rewards.refer("M1", "M2", at=MORNING)
    work.tiers.qualify("M1", 100, cause="c", at=MORNING)
    run("INSERT INTO ledger_hold VALUES (gen_random_uuid(), now())")
    work.access.add_key("k", roles=["planner"])
    work.access.add("someone", "otter plum quarry 91", roles=["admin"])
    run("INSERT INTO access_session SELECT '\\x00', id, now(), now() FROM account")
    run("INSERT INTO account_identity SELECT 'https://x', 's', id, now() FROM account")
    run("INSERT INTO known_address SELECT id, '::', now() FROM account")
    run("INSERT INTO sign_in_limit VALUES ('name x', now())")
    with tx.apart() as apart:
        assert apart.actor == "else"


def _coupons_by_hand(tx: Transaction) -> None:
    run = tx.connection.exec_driver_sql
    run("INSERT INTO promotion_version VALUES ('p', 1, '{}', now(), 'x')")
    run("INSERT INTO promotion (id, version) VALUES ('p', 1)")
    run(
        "INSERT INTO coupon_campaign (id, name, promotion, begins_at, ends_at, saved_at, saved_by) "
        "VALUES ('c', 'c', 'p', now(), now() + interval '1 day', now(), 'x')"
    )
    run(
        "INSERT INTO coupon (id, campaign, code_hash, begins_at, ends_at, issued_at, issued_by) "
        "SELECT gen_random_uuid(), id, '\\x00', begins_at, ends_at, now(), 'x' "
        "FROM coupon_campaign"
    )
    run("INSERT INTO coupon_hold VALUES ('order', 'p', NULL, NULL, 5, '{}', now())")
    run("INSERT INTO coupon_limit VALUES ('key x', now())")
    run("INSERT INTO person_key VALUES (gen_random_uuid(), 'order/1', '\\x00', 'm', true)")
    run("INSERT INTO person_erasure VALUES (gen_random_uuid(), 'order/2', now(), 'x')")


def _orders_by_hand(work: Work, places: list[str], sku: str) -> None:
    """An order that two places give for, and one for each of the others, paid and handed over."""
    ids = []
    for number, place in enumerate(places):
        gives = [place, places[0]] if number == 1 else [place]
        row = {
            **{"id": new_id(), "channel": "web", "place": place, "method": "pickup"},
            **{"member": None, "currency": "CNY", "goods_cents": 600, "tax_cents": None},
            **{"delivery_cents": 0, "total_cents": 600, "state": "placed", "holds": []},
            **{"points": 0, "points_cents": 0, "stored_cents": 0, "uses": [], "substitutes": False},
            **{"placed_at": MORNING, "expires_at": MORNING + timedelta(days=999)},
            **{"ready_at": None, "arrives_at": None, "latitude": None, "longitude": None},
            "why": {},
            "lines": [
                {"line": 0, "sku": sku, "name": "n", "quantity": 2, "price_cents": 300}
                | {
                    "per_units": 1,
                    "amount_cents": 600,
                    "tax_cents": None,
                    "custom": {},
                    "discounts": [],
                }
            ],
            "parts": [
                {"id": new_id(), "line": 0, "place": one, "sku": sku, "units": 1, "each": 1}
                for one in gives
            ],
        }
        order_store.insert(work.orders._tx, [row])
        ids.append((row["id"], gives))
    for order, _ in ids:
        notice = PaymentNotice("cash", str(order), order, 600, "CNY", MORNING)
        work.orders.settle(notice)
    assert work.fulfil.take_up() == len(ids)
    _bookings_by_hand(work, [order for order, _ in ids])
    for order, gives in ids:
        work.orders.hand_over(order, [Piece(0, one, 1) for one in gives])
        back = work.returns.ask(Asked(order, {0: 1}, "broken"))
        work.returns.receive(back.id, gives[0], {0: 1})
        work.returns.inspect(back.id, {0: Verdict(waste=1)})


def _bookings_by_hand(work: Work, orders: list[UUID]) -> None:
    for shipment in work.fulfil.of(orders):
        booking = Booking(
            id=new_id(),
            shipment=shipment.id,
            return_=None,
            place=shipment.place,
            courier="c",
            attempt=1,
            state=BookingState.ASKED,
            asked_at=MORNING,
            answer_by=MORNING,
        )
        shipment_store.book(work.orders._tx, booking)


COMPANY_WIDE = (
    *("promotion_book", "promotion", "promotion_version", "coupon_campaign", "coupon"),
    *("coupon_hold", "coupon_limit"),
)
"""What holds for all places, and no supplier sees."""
TABLES = (
    *("place", "holiday", "item_description", "price_setting", "stock_entry", "stock_position"),
    *("stock_quota", "command"),
    *("supplier_description", "supply_agreement", "purchase_outside", "purchase_receipt"),
    *("purchase_closure", "purchase_order", "purchase_order_line", "purchase_order_event"),
    *("transfer_departure", "decision", "decision_event", "decision_snapshot", "fact"),
    *("ledger_account", "ledger_entry", "ledger_hold", "outbox", "account", "access_session"),
    *("access_key", "sign_in_limit", "audit_event", "store_task", "store_task_event"),
    *("account_identity", "known_address", "sales_order", "sales_order_line"),
    *("sales_order_part", "sales_handover", "sales_order_event", "sales_payment", "sales_refund"),
    *("shipment", "shipment_line", "courier_booking", "sales_return", "sales_return_line"),
    *("store_description", "courier_offer", "device", "device_event", "device_problem"),
    *("loyalty_entry", "points_lot", "member_standing", "member_bought", "tier_change"),
    *("member_referral", "person_key", "person_erasure"),
    *COMPANY_WIDE,
)
UNGUARDED = {
    *("alembic_version", "installation", "fact_batch", "fact_part", "decision_kind"),
    *("saved_view", "ledger_seal", "ledger_leaf", "procrastinate_jobs", "procrastinate_events"),
    *("procrastinate_workers", "procrastinate_periodic_defers"),
}
"""No row of these belongs to a place or a supplier; see docs/decisions/0020."""


def rows_of(tx: Transaction, table: str) -> list[Row]:
    found = tx.connection.exec_driver_sql(f"SELECT * FROM {table}").mappings()
    return [dict(row) for row in found]


def expected(all_rows: Mapping[str, list[Row]], seen: Seen) -> dict[str, list[Row]]:
    """The rows of each table that should be seen, told from all of them."""

    def order(row: Row) -> bool:
        if row["transfer"]:
            return seen.inside and (seen.at(row["place"]) or seen.at(row["supplier"]))
        return seen.of(row["supplier"]) and seen.at(row["place"])

    def decision(row: Row) -> bool:
        return seen.inside and seen.at(row["place"])

    def term(row: Row) -> bool:
        return seen.of(row["supplier"]) and seen.anywhere(row["place"])

    orders = {row["name"] for row in all_rows["purchase_order"] if order(row)}
    outside = {
        row["order_name"]
        for row in all_rows["purchase_outside"]
        if seen.of(row["supplier"]) and seen.at(row["place"])
    }
    decisions = [row for row in all_rows["decision"] if decision(row)]
    numbers = {row["number"] for row in decisions}
    tasks = {row["id"] for row in all_rows["store_task"] if decision(row)}
    devices = {row["id"] for row in all_rows["device"] if decision(row)}
    gives = {row["order_id"] for row in all_rows["sales_order_part"] if decision(row)}
    sold = {row["id"] for row in all_rows["sales_order"] if decision(row) or row["id"] in gives}
    shipments = {row["id"] for row in all_rows["shipment"] if decision(row)}

    def back(row: Row) -> bool:
        return row["order_id"] in sold or decision(row)

    returns = {row["id"] for row in all_rows["sales_return"] if back(row)}
    snapshots = {row["snapshot"] for row in decisions}
    supplied = {row["sku"] for row in all_rows["supply_agreement"] if term(row)}

    def closure(row: Row) -> bool:
        known = seen.inside or row["order_name"] in orders | outside
        return known and seen.anywhere(row["place"])

    def account(row: Row) -> bool:
        found = re.fullmatch(r"stock\.\w+/([^/]*)(/.*)?", row["code"])
        place = None if found is None else found[1].replace("%2F", "/").replace("%25", "%")
        return seen.everything or (
            seen.inside and place is not None and seen.places is not None and place in seen.places
        )

    by_table: dict[str, Callable[[Row], bool]] = {
        "place": lambda r: seen.at(r["id"]),
        "holiday": lambda r: seen.anywhere(r["place"]),
        "item_description": lambda r: seen.inside or r["sku"] in supplied,
        "price_setting": lambda r: seen.inside and seen.anywhere(r["place"]),
        "stock_entry": decision,
        "stock_quota": decision,
        "store_description": decision,
        "courier_offer": decision,
        "stock_position": decision,
        "supplier_description": lambda r: seen.of(r["supplier"]),
        "supply_agreement": term,
        "purchase_outside": lambda r: seen.of(r["supplier"]) and seen.at(r["place"]),
        "purchase_receipt": lambda r: seen.of(r["supplier"]) and seen.at(r["place"]),
        "purchase_closure": closure,
        "purchase_order": order,
        "purchase_order_line": lambda r: r["order_name"] in orders,
        "purchase_order_event": lambda r: r["order_name"] in orders,
        "transfer_departure": lambda r: (
            seen.inside and (seen.at(r["place"]) or r["order_name"] in orders)
        ),
        "decision": decision,
        "decision_event": lambda r: r["decision"] in numbers,
        "decision_snapshot": lambda r: r["number"] in snapshots,
        "ledger_account": account,
        "device": decision,
        "device_event": lambda r: r["device"] in devices,
        "device_problem": lambda r: r["device"] in devices,
        "sales_order": lambda r: r["id"] in sold,
        "sales_order_line": lambda r: r["order_id"] in sold,
        "sales_order_part": decision,
        "sales_handover": decision,
        "sales_order_event": lambda r: r["order_id"] in sold,
        "sales_payment": lambda r: r["order_id"] in sold,
        "sales_refund": lambda r: r["order_id"] in sold,
        "shipment": decision,
        "shipment_line": lambda r: r["shipment_id"] in shipments,
        "courier_booking": decision,
        "sales_return": back,
        "sales_return_line": lambda r: r["return_id"] in returns,
        "store_task": decision,
        "store_task_event": lambda r: r["task"] in tasks,
        "audit_event": lambda r: seen.everything or r["actor"] == ACTOR,
        "command": lambda r: seen.everything or r["actor"] == ACTOR,
        **dict.fromkeys(COMPANY_WIDE, lambda r: seen.inside),
    }
    return {
        table: [row for row in all_rows[table] if by_table.get(table, _everything(seen))(row)]
        for table in TABLES
    }


def _everything(seen: Seen) -> Callable[[Row], bool]:
    return lambda row: seen.everything


def readings(work: Work) -> dict[str, list[Row]]:
    """Every reading of a façade, as rows with what places and suppliers they speak of."""
    decided = work.decisions.find(limit=10_000)
    lines = work.catalog.items().select(["sku"])
    stores = work.places.all().to_pylist()
    known_keys = work.access.keys()
    return {
        "places.all": [{"place": row["id"]} for row in stores],
        "places.calendars": [{"place": place} for place in work.places.calendars()],
        "stores.all": [{"place": store.place.id, "inside": True} for store in work.stores.all()],
        "catalog.prices": work.catalog.prices(DAY).to_pylist(),
        "catalog.price_history": work.catalog.price_history().to_pylist(),
        "stock.positions": work.stock.positions().to_pylist(),
        "stock.available": work.stock.available(
            [(sku, row["id"]) for sku in lines["sku"].to_pylist() for row in stores],
            channel="live",
        ).to_pylist(),
        "stock.discrepancies": work.stock.discrepancies().to_pylist(),
        "stock.lots": work.stock.lots().to_pylist(),
        "stock.card": [
            {"place": place["id"], "amount": row["amount"]}
            for place in stores
            for row in work.stock.card(lines["sku"][0].as_py(), place["id"]).to_pylist()
        ]
        if lines.num_rows
        else [],
        "suppliers.suppliers": work.suppliers.suppliers().to_pylist(),
        "suppliers.terms": work.suppliers.terms().to_pylist(),
        "suppliers.on_order": work.suppliers.on_order(DAY).to_pylist(),
        "suppliers.differences": work.suppliers.differences(DAY).to_pylist(),
        "suppliers.orders": [
            {"place": o.place, "supplier": o.supplier, "name": o.name, "transfer": o.transfer}
            for o in work.suppliers.orders()
        ],
        "suppliers.lead_times": work.suppliers.lead_times().to_pylist(),
        "decisions.find": [
            {"place": d.proposal.subject.place, "number": d.number, "inside": True} for d in decided
        ],
        "decisions.count": [{"inside": True, "count": work.decisions.count()}][
            : work.decisions.count()
        ],
        "decisions.get": [
            {"place": d.proposal.subject.place, "inside": True}
            for d in (work.decisions.get(one.number) for one in decided[:5])
        ],
        "devices.all": [{"place": one.place, "inside": True} for one in work.devices.all()],
        "orders.page": [
            {"places": [order.place, *(part.place for part in order.parts)], "inside": True}
            for order in work.orders.page()[0]
        ],
        "tasks.page": [{"place": t.place, "inside": True} for t in work.tasks.page()[0]],
        "tasks.counts": work.tasks.counts().to_pylist(),
        "audit.trail": [{"actor": event.actor} for event in work.audit.trail(limit=1000)],
        "access.accounts": [{"everything": True, "n": a.name} for a in work.access.accounts()],
        "access.keys": [{"everything": True, "n": k.label} for k in known_keys],
        "ledger.accounts": work.ledger.accounts().to_pylist(),
        "jobs.outbox": [{"everything": True} for _ in work.outbox.pending("purchase.order")],
    }


def strange(row: Row, seen: Seen) -> bool:
    """Whether a row of a reading speaks of what is not to be seen."""
    if row.get("everything") and not seen.everything:
        return True
    if row.get("inside") and not seen.inside:
        return True
    if "actor" in row:
        return not (seen.everything or row["actor"] == ACTOR)
    if "code" in row:
        return not (seen.everything or (seen.inside and row["code"].startswith("stock.")))
    if row.get("transfer"):
        return not (seen.inside and (seen.at(row["place"]) or seen.at(row["supplier"])))
    if "order" in row and seen.inside and seen.at(row["supplier"]):
        return False  # a transfer that leaves here
    if "places" in row:
        return not any(seen.at(place) for place in row["places"])
    place_is_strange = not seen.anywhere(row.get("place"))
    supplier = row.get("supplier")
    return place_is_strange or ("supplier" in row and not seen.of(supplier))


def violations(sanhe: Sanhe, seen: Seen) -> list[str]:
    """What an identity sees and should not, or does not see and should."""
    scope = Scope(seen.places, seen.suppliers)
    with sanhe.database.transaction(actor=ACTOR) as tx:
        whole = {table: rows_of(tx, table) for table in TABLES}
        assert all(whole.values()), [table for table in TABLES if not whole[table]]
    wrong = []
    with sanhe.database.transaction(actor=ACTOR, scope=scope) as tx:
        for table, rows in expected(whole, seen).items():
            found = sorted(map(repr, rows_of(tx, table)))
            if found != sorted(map(repr, rows)):
                wrong.append(f"table {table}: {len(found)} rows, {len(rows)} expected")
        work = construct(tx, sanhe.settings)
        for name, rows in readings(work).items():
            bad = [row for row in rows if strange(row, seen)]
            wrong += [f"{name}: {row}" for row in bad[:1]]
    return wrong


def identities(sanhe: Sanhe) -> dict[str, Seen]:
    with sanhe.work(actor=ACTOR) as work:
        places = work.places.all()["id"].to_pylist()
        supplier = work.suppliers.terms()["supplier"][0].as_py()
    return {
        "all": Seen(None, None),
        "store": Seen(frozenset(places[:1]), None),
        "region": Seen(frozenset(places[1:3]), None),
        "nowhere": Seen(frozenset(), None),
        "odd names": Seen(frozenset({'a"b', "c\\d", "{e,f}", "*", "", "g'h"}), None),
        "supplier": Seen(None, frozenset({supplier})),
        "supplier of a store": Seen(frozenset(places[:1]), frozenset({supplier})),
        "supplier named as a place": Seen(None, frozenset(places[:1])),
    }


def test_each_identity_sees_its_rows_and_all_of_them(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        for name, seen in identities(sanhe).items():
            assert violations(sanhe, seen) == [], name


@contextmanager
def without_policy(settings: Settings, table: str) -> Iterator[None]:
    """The table unguarded: every row is seen by whoever may read the table."""
    with psycopg.connect(urls_of(str(settings.database_url))[1], autocommit=True) as owner:
        owner.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
        try:
            yield
        finally:
            owner.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")


@pytest.mark.parametrize("table", TABLES)
def test_without_its_policy_the_suite_fails(retailer: Settings, table: str) -> None:
    with opened(retailer) as sanhe, without_policy(retailer, table):
        found = {name: violations(sanhe, seen) for name, seen in identities(sanhe).items()}
    assert found["all"] == []
    assert any(f"table {table}:" in line for lines in found.values() for line in lines)


def test_without_policies_the_readings_show_it(retailer: Settings) -> None:
    shown = set()
    for table in ("decision", "stock_position", "purchase_order", "supply_agreement"):
        with opened(retailer) as sanhe, without_policy(retailer, table):
            for seen in identities(sanhe).values():
                shown |= {line.split(":")[0] for line in violations(sanhe, seen)}
    wanted = {"decisions.find", "stock.positions", "suppliers.orders", "suppliers.terms"}
    assert wanted <= shown


def test_who_set_no_scope_sees_nothing(retailer: Settings) -> None:
    with psycopg.connect(urls_of(str(retailer.database_url))[0]) as app:
        for table in TABLES:
            assert app.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
            app.execute("INSERT INTO place (id, name, kind) VALUES ('X', 'x', 'store')")
    with psycopg.connect(str(retailer.database_url)) as owner:
        for table in TABLES:
            assert owner.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table


def test_a_scope_ends_with_its_transaction(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        with sanhe.work(actor=ACTOR) as work:
            assert work.places.all().num_rows
        raw = sanhe.database._engine
        with raw.begin() as connection:
            counted = connection.exec_driver_sql("SELECT count(*) FROM place").scalar_one()
        assert counted == 0


def test_every_table_is_guarded_or_listed_as_needing_no_guard(retailer: Settings) -> None:
    with psycopg.connect(urls_of(str(retailer.database_url))[1]) as owner:
        rows = owner.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class "
            "WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        views = owner.execute(
            "SELECT relname, 'security_invoker=true' = ANY(reloptions) FROM pg_class "
            "WHERE relkind = 'v' AND relnamespace = 'public'::regnamespace"
        ).fetchall()
    guarded = {name for name, is_guarded in rows if is_guarded}
    assert guarded == set(TABLES)
    assert {name for name, is_guarded in rows if not is_guarded} == UNGUARDED
    assert views and all(invoker for _, invoker in views), views


def test_what_is_written_lies_in_the_scope(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        seen = identities(sanhe)
        with sanhe.work(actor=ACTOR) as work:
            proposed = work.decisions.find(statuses={Status.PROPOSED}, limit=500)
        region = Scope(seen["region"].places)
        mine = [d.number for d in proposed if seen["region"].at(d.proposal.subject.place)]
        others = [d.number for d in proposed if not seen["region"].at(d.proposal.subject.place)]
        with sanhe.work(actor=ACTOR, scope=region) as work:
            assert work.decisions.snooze(mine[:1], until=_later(sanhe), reason="wait") == 1
            assert work.decisions.get(mine[0]).history[-1].actor == ACTOR
            work.audit.record("snoozed", str(mine[0]))
        for numbers in (others[:1], mine[1:2] + others[:1]):
            with (
                pytest.raises(NotFound, match="no decision"),
                sanhe.work(actor=ACTOR, scope=region) as work,
            ):
                work.decisions.reject(numbers, reason="no")
        with sanhe.work(actor=ACTOR) as work:
            assert {work.decisions.get(n).status for n in others[:1]} == {Status.PROPOSED}
        forged = "INSERT INTO audit_event (at, actor, action, subject, details) VALUES {}"
        with (
            pytest.raises(sa.exc.ProgrammingError, match="row-level security"),
            sanhe.database.transaction(actor=ACTOR) as tx,
        ):
            tx.connection.exec_driver_sql(forged.format("(now(), 'boss', 'x', 'y', '{}')"))


def _later(sanhe: Sanhe) -> Any:
    from datetime import timedelta

    return sanhe.clock.now() + timedelta(days=1)


def test_everything_is_the_default_of_work(retailer: Settings) -> None:
    with opened(retailer) as sanhe, sanhe.work(actor="x") as work:
        assert work.decisions.count() > 0
    assert Scope(None, None) == EVERYTHING


def test_the_lake_shows_each_place_its_own_and_what_holds_everywhere(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        sanhe.refresh_lake()
        store = next(iter(identities(sanhe)["region"].places or ()))
        seen = sanhe.scoped_lake(Scope(frozenset({store})))
        kept = seen.tables()
        assert {"facts/sale.day", "facts/item.described", "facts/price.set"} <= set(kept)
        assert any(name.startswith("forecast/") for name in kept)
        for name in kept:
            whole, mine = sanhe.lake.read(name), seen.read(name)
            if "place" not in whole.column_names:
                assert name.startswith("forecast_model/")
                continue
            anywhere = name in EVERYWHERE
            places = whole["place"].to_pylist()
            wanted = sum(place == store or (place is None and anywhere) for place in places)
            assert mine.num_rows == wanted, name
        assert seen.read("facts/item.described").num_rows > 0
        assert seen.read("facts/sale.day").num_rows > 0
        forecast = Demand(seen).latest()
        assert set(forecast.keys["place"].to_pylist()) == {store}
        with pytest.raises(Denied):
            sanhe.scoped_lake(Scope(None, frozenset({"V"}))).read("facts/sale.day")
