"""The flows over all capabilities: whatever the deliveries, one state; whatever the crash, once."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
import pytest

from sanhe.connectors.files import write_order
from sanhe.core.decisions import Status
from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.facts import facts_table
from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.goods.suppliers import Arrived, OrderStatus, PurchaseOrder
from sanhe.sim import disturbed, forged, late, with_revisions
from sanhe.wiring import (
    ImportRequest,
    PlanRequest,
    Sanhe,
    approve,
    deliver_orders,
    edit,
    import_file,
    plan,
    record_facts,
    run_jobs,
    undo_import,
)
from tests.wiring.files import SALES, deliveries, files, sale, tiny_retailer, written
from tests.wiring.installation import State, installed, opened, state_of

FAST_PLAN = PlanRequest(horizon_days=14, method="same_weekday_mean")


@pytest.fixture(scope="module")
def retailer(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The tiny retailer, recorded in order, with nothing planned."""
    with installed(server, tmp_path_factory.mktemp("retailer")) as settings:
        with opened(settings) as sanhe:
            record_facts(sanhe, deliveries(), source="sim", actor="importer")
        yield settings


@pytest.fixture
def empty(server: EmbeddedServer, tmp_path: Path) -> Iterator[Settings]:
    """An installation that holds nothing."""
    with installed(server, tmp_path / "home") as settings:
        yield settings


def ended_in(
    server: EmbeddedServer, home: Path, batches: Sequence[pa.Table]
) -> tuple[State, tuple[tuple[str, str, int], ...]]:
    """The state of a fresh installation after these deliveries, and what it would order."""
    with installed(server, home) as settings, opened(settings) as sanhe:
        named = {str(number): batch for number, batch in enumerate(batches)}
        record_facts(sanhe, named, source="sim", actor="importer")
        planned = plan(sanhe, FAST_PLAN, actor="planner")
        with sanhe.work(actor="planner") as work:
            found = work.decisions.find(kind="replenish", run=planned.plan.run, limit=1_000)
        orders = sorted(
            (d.proposal.subject.sku or "", d.proposal.subject.place or "", d.value) for d in found
        )
        return state_of(sanhe), tuple(orders)


def test_disturbed_deliveries_end_in_the_same_state_and_the_same_proposals(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    batches = with_revisions(list(deliveries().values()), seed=3)
    wanted = ended_in(server, tmp_path / "in order", batches)
    mixed = disturbed(late(batches, seed=4), seed=5, batch_rows=900)
    assert ended_in(server, tmp_path / "disturbed", mixed) == wanted
    assert len(wanted[1]) >= 5 and len(wanted[0].on_hand) == 60
    _, history = tiny_retailer()
    assert sum(wanted[0].on_hand.values()) == int(history.closing[-1].sum())
    other = ended_in(server, tmp_path / "forged", forged(batches, seed=6))
    assert other[0] != wanted[0], "the control: one other quantity ends in another state"


def test_the_same_deliveries_again_change_nothing(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        before = state_of(sanhe)
        assert record_facts(sanhe, deliveries(), source="again", actor="importer") == 0
        assert state_of(sanhe) == before


def test_a_contradicting_delivery_leaves_nothing_behind(retailer: Settings) -> None:
    (changed,) = forged([deliveries()["sales"]], seed=1)
    with opened(retailer) as sanhe:
        before = state_of(sanhe)
        with pytest.raises(Conflict, match="higher revision"):
            record_facts(sanhe, {"sales": changed}, source="sim", actor="importer")
        assert state_of(sanhe) == before


def test_undoing_an_import_brings_the_former_state_back(empty: Settings, tmp_path: Path) -> None:
    paths = files(tmp_path / "in")
    with opened(empty) as sanhe:
        for name, path in paths.items():
            if name != "stock":
                import_file(sanhe, ImportRequest(path), actor="importer")
        counted = import_file(sanhe, ImportRequest(paths["stock"]), actor="importer")
        before = state_of(sanhe)
        late_sales = [
            {"day": date(2025, 9, 25), "place": "ST-001", "sku": "SKU-0014", "quantity": 5}
            | {"amount_cents": 9_950, "in_stock_share": 1.0}
        ]
        path = written(tmp_path / "late.csv", SALES, map(sale, late_sales))
        sold = import_file(sanhe, ImportRequest(path, today=date(2025, 9, 25)), actor="importer")
        after = state_of(sanhe)
        key = ("SKU-0014", "ST-001")
        assert (sold.new, after.on_hand[key]) == (1, before.on_hand[key] - 5)
        assert sold.batch is not None and counted.batch is not None
        assert undo_import(sanhe, sold.batch, actor="importer").facts == 1
        assert state_of(sanhe) == before
        with pytest.raises(Conflict):
            undo_import(sanhe, sold.batch, actor="importer")
        # What was undone may come again.
        assert import_file(sanhe, ImportRequest(path), actor="importer").batch is not None
        assert state_of(sanhe) == after
        undo_import(sanhe, counted.batch, actor="importer")
        assert state_of(sanhe).on_hand == {}, "without a count the stock is unknown"
        with pytest.raises(NotFound):
            undo_import(sanhe, uuid4(), actor="importer")


def test_approved_becomes_an_order_that_counts_and_is_received(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    """The loop: proposal, order, file, on order, receipt, stock."""
    with installed(server, tmp_path / "home") as settings, opened(settings) as sanhe:
        record_facts(sanhe, deliveries(), source="sim", actor="importer")
        first = plan(sanhe, FAST_PLAN, actor="planner")
        proposed = first.plan.proposed
        assert proposed == len(first.plan.numbers) >= 5
        again = plan(sanhe, FAST_PLAN, actor="planner").plan
        assert (again.proposed, again.already_open) == (0, proposed)
        order = ordered(sanhe, first.plan.numbers)
        assert state_of(sanhe).on_order[key_of(order)] >= order.lines[0].quantity
        written_once(sanhe, order)
        # What is ordered is not proposed again; the rest stays open.
        third = plan(sanhe, FAST_PLAN, actor="planner").plan
        assert (third.proposed, third.already_open) == (0, proposed - 1)
        received(sanhe, order)


def key_of(order: PurchaseOrder) -> tuple[str, str]:
    """What an order's first line is about."""
    return order.lines[0].sku, order.place


def ordered(sanhe: Sanhe, numbers: Sequence[int]) -> PurchaseOrder:
    """Approve the largest proposal; the order it became."""
    with sanhe.work(actor="planner") as work:
        largest = work.decisions.find(kind="replenish", limit=1)[0]
    assert largest.number in numbers
    assert approve(sanhe, [largest.number], reason="as proposed", actor="planner") == 1
    (name,) = run_jobs(sanhe)
    assert run_jobs(sanhe) == (), "what was carried out is not carried out again"
    with pytest.raises(Conflict):
        approve(sanhe, [largest.number], reason="", actor="planner")
    with sanhe.work(actor="planner") as work:
        order = work.suppliers.get(name)
        done = work.decisions.get(largest.number)
    assert (done.status, done.actions) == (Status.EXECUTED, (name,))
    assert [line.decision for line in order.lines] == [largest.number]
    assert order.lines[0].quantity == largest.value
    assert order.status is OrderStatus.SENT
    return order


def written_once(sanhe: Sanhe, order: PurchaseOrder) -> None:
    """The order lies in the folder; delivered a second time nothing changes."""
    path = sanhe.orders_folder / f"{order.name}.csv"
    content, moment = path.read_bytes(), path.stat().st_mtime_ns
    with path.open(encoding="utf-8-sig", newline="") as stream:
        (row,) = csv.DictReader(stream)
    line = order.lines[0]
    assert (row["sku"], int(row["quantity"])) == (line.sku, line.quantity)
    assert (row["supplier"], row["place"]) == (order.supplier, order.place)
    assert deliver_orders(sanhe) == 0
    # A crash after the file and before the mark delivers the message a second time.
    payload = {
        "order": order.name,
        "supplier": order.supplier,
        "place": order.place,
        "lines": [{"sku": line.sku, "quantity": line.quantity + 1}],
    }
    with pytest.raises(Conflict, match="another content"):
        write_order(sanhe.orders_folder, payload)
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (content, moment)
    assert sorted(p.suffix for p in sanhe.orders_folder.iterdir()) == [".csv", ".xlsx"]


def received(sanhe: Sanhe, order: PurchaseOrder) -> None:
    """The goods come in two deliveries; each raises the stock and lowers what is on order."""
    before, key, line = state_of(sanhe), key_of(order), order.lines[0]
    parts = (1, line.quantity - 1)
    for number, quantity in enumerate(parts, start=1):
        with sanhe.work(actor="store") as work:
            facts = work.suppliers.receipt(
                order.name,
                [Arrived(line.sku, quantity)],
                note=f"note {number}",
                at=sanhe.clock.now() + timedelta(hours=1),
                day=order.due,
            )
        table = facts_table(facts)
        for _ in range(2):  # the same delivery note twice changes nothing
            record_facts(sanhe, {f"note {number}": table}, source="store", actor="store")
        come = sum(parts[:number])
        after = state_of(sanhe)
        assert after.on_hand[key] == before.on_hand[key] + come
        assert after.on_order.get(key, 0) == before.on_order[key] - come
    with sanhe.work(actor="store") as work:
        assert work.suppliers.get(order.name).status is OrderStatus.RECEIVED


def test_an_edited_quantity_is_ordered_and_a_zero_orders_nothing(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with installed(server, tmp_path / "home") as settings, opened(settings) as sanhe:
        record_facts(sanhe, deliveries(), source="sim", actor="importer")
        one, two, *_ = plan(sanhe, FAST_PLAN, actor="planner").plan.numbers
        edit(sanhe, one, 7, reason="a school fair", actor="planner")
        edit(sanhe, two, 0, reason="delisted", actor="planner")
        (name,) = run_jobs(sanhe)
        with sanhe.work(actor="planner") as work:
            (line,) = work.suppliers.get(name).lines
            ended = [work.decisions.get(number) for number in (one, two)]
        assert (line.decision, line.quantity) == (one, 7)
        assert [(d.status, d.value, d.actions) for d in ended] == [
            (Status.EXECUTED, 7, (name,)),
            (Status.EXECUTED, 0, ()),
        ]
        assert [event.reason for event in ended[0].history if event.value is not None] == [
            "a school fair"
        ]


def test_an_outside_order_is_not_ordered_again(server: EmbeddedServer, tmp_path: Path) -> None:
    """Open orders of an outside ERP count: with them a line needs nothing."""
    told = dict(deliveries())
    with installed(server, tmp_path / "without") as settings, opened(settings) as sanhe:
        record_facts(sanhe, told, source="sim", actor="importer")
        planned = plan(sanhe, FAST_PLAN, actor="planner")
        with sanhe.work(actor="planner") as work:
            line = work.decisions.find(kind="replenish", limit=1)[0]
    subject, supplier = line.proposal.subject, line.proposal.inputs["supplier"]
    path = written(
        tmp_path / "open.csv",
        "order,order date,supplier,store,sku,ordered quantity,due",
        [("ERP-1", "2025-09-24", supplier, subject.place, subject.sku, line.value, "2025-09-26")],
    )
    with installed(server, tmp_path / "with") as settings, opened(settings) as sanhe:
        record_facts(sanhe, told, source="sim", actor="importer")
        assert import_file(sanhe, ImportRequest(path), actor="importer").new == 1
        fewer = plan(sanhe, FAST_PLAN, actor="planner")
        with sanhe.work(actor="planner") as work:
            found = work.decisions.find(kind="replenish", sku=subject.sku, place=subject.place)
    assert found == []
    assert fewer.plan.proposed == planned.plan.proposed - 1


def test_without_sales_there_is_nothing_to_plan(empty: Settings) -> None:
    with opened(empty) as sanhe, pytest.raises(BadInput, match="no sales"):
        plan(sanhe, FAST_PLAN, actor="planner")
