"""Terms, orders, receipts and lead times follow the facts; what is on order has one truth."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanhe.connectors.files import write_order
from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.facts import Fact
from sanhe.core.storage import Database
from sanhe.goods.suppliers import TOPIC, Arrived, OrderLine, OrderStatus
from tests.goods.shop import DAY, START, Shop, counted, fact, received, rolled_back

RUN = UUID(int=7)


def supplier(name: str, *, weekdays: str = "", minimum: int | None = None) -> Fact:
    payload: list[tuple[str, object]] = [("name", f"Supplier {name}")]
    payload += [("order_weekdays", weekdays)] if weekdays else []
    payload += [("minimum_order_cents", minimum)] if minimum is not None else []
    return fact(
        "supplier.described", f"supplier/{name}", sku=None, place=None, party=name, payload=payload
    )


def supply(
    sku: str,
    party: str,
    *,
    place: str | None = None,
    cost: int | None = None,
    hour: int = 0,
    **more: object,
) -> Fact:
    payload = {"lead_time_days": 2, **more}
    return fact(
        "supply.agreed",
        f"supply/{sku}/{party}/{place}/{hour}",
        sku=sku,
        place=place,
        party=party,
        hour=hour,
        amount_cents=cost,
        payload=list(payload.items()),
    )


def ordered(
    name: str,
    quantity: int,
    *,
    order: str,
    due: str | None = None,
    line: str | None = None,
    **columns: object,
) -> Fact:
    payload = [("order", order)]
    payload += [("due", due)] if due else []
    payload += [("line", line)] if line else []
    given: dict[str, object] = {"party": "V1", **columns}
    return fact("purchase.ordered", name, quantity=quantity, payload=payload, **given)  # type: ignore[arg-type]


def closed(name: str, *, order: str, **columns: object) -> Fact:
    given: dict[str, object] = {"sku": None, "place": None, **columns}
    return fact("purchase.closed", name, payload=[("order", order)], **given)  # type: ignore[arg-type]


def open_quantities(shop: Shop) -> dict[tuple[str, str], int]:
    found: dict[tuple[str, str], int] = {}
    for row in shop.suppliers.on_order(DAY).to_pylist():
        found[row["sku"], row["place"]] = found.get((row["sku"], row["place"]), 0) + row["quantity"]
    return found


def test_terms_of_the_place_and_the_first_choice_win(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        case = [("name", "apple"), ("case", 6)]
        shop.record(
            [
                fact("item.described", "item/A", place=None, payload=case),
                supplier("V1", weekdays="1,4", minimum=5000),
                supply("A", "V1", cost=120, priority=2),
                supply("A", "V2", cost=130, case=10, moq=20, priority=1),
                supply("A", "V3", place="S2", cost_per_case_cents=599, case=100),
            ]
        )
        rows = shop.suppliers.terms().to_pylist()
        assert [
            (r["place"], r["supplier"], r["unit_cost_cents"], r["case_size"], r["moq"])
            for r in rows
        ] == [(None, "V2", 130, 10, 20), (None, "V1", 120, 6, 1), ("S2", "V3", 6, 100, 1)]
        assert (rows[1]["supplier_name"], rows[0]["supplier_name"]) == ("Supplier V1", "V2")
        choice = shop.suppliers.choice(["A", "A", "B"], ["S2", "S1", "S1"]).to_pylist()
        assert [(r["sku"], r["place"], r["supplier"]) for r in choice] == [
            ("A", "S2", "V3"),
            ("A", "S1", "V2"),
            ("B", "S1", None),
        ]


def test_terms_are_dated(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([supply("A", "V1", cost=100), supply("A", "V1", cost=90, hour=72)])
        costs = [
            shop.suppliers.terms(day=day).column("unit_cost_cents").to_pylist()
            for day in (date(2024, 6, 1), date(2024, 6, 5), date(2024, 6, 6), None)
        ]
        assert costs == [[], [100], [90], [90]]


def three_lines() -> list[OrderLine]:
    return [
        OrderLine("A", "S1", "V1", 24, decision=11),
        OrderLine("B", "S1", "V1", 10, decision=12, unit_cost_cents=75),
        OrderLine("A", "S2", "V1", 12, decision=13),
    ]


def prepared(shop: Shop) -> None:
    shop.record(
        [
            fact("item.described", "i", place=None, payload=[("name", "apple"), ("case", 12)]),
            supplier("V1", weekdays="4", minimum=3000),
            supply("A", "V1", cost=100),
        ]
    )


def test_approved_lines_become_orders_in_the_outbox(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        prepared(shop)
        orders = shop.suppliers.order(three_lines(), RUN, day=DAY, lead_time_days=9)
        # V1 takes orders on Thursdays; A needs 2 days, B has no terms and is given 9.
        assert [(o.name, o.place, o.due, [x.sku for x in o.lines]) for o in orders] == [
            ("SH-000001", "S1", date(2024, 6, 8), ["A"]),
            ("SH-000002", "S1", date(2024, 6, 15), ["B"]),
            ("SH-000003", "S2", date(2024, 6, 8), ["A"]),
        ]
        assert [(o.cost_cents, o.below_minimum_cents) for o in orders] == [
            (2400, 600),
            (750, 2250),
            (1200, 1800),
        ]
        assert shop.suppliers.orders(run=RUN) == orders
        messages = shop.outbox.pending(TOPIC)
        assert [message.key for message in messages] == ["SH-000001", "SH-000002", "SH-000003"]
        assert messages[0].payload == {
            "order": "SH-000001",
            "supplier": "V1",
            "supplier_name": "Supplier V1",
            "place": "S1",
            "due": "2024-06-08",
            "currency": "CNY",
            "lines": [
                {
                    "line": 1,
                    "sku": "A",
                    "name": "apple",
                    "quantity": 24,
                    "case_size": 12,
                    "cases": 2,
                    "unit_cost_cents": 100,
                    "cost_per_case_cents": None,
                    "cost_cents": 2400,
                    "decision": 11,
                }
            ],
        }
        assert open_quantities(shop) == {("A", "S1"): 24, ("B", "S1"): 10, ("A", "S2"): 12}


def test_a_cost_per_case_is_what_the_order_and_its_document_count(
    database: Database, tmp_path: Path
) -> None:
    """100 pieces for 5.99: one costs 5.99 cents, which no price per piece can say."""
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        shop.record([supply("A", "V1", cost_per_case_cents=599, case=100)])
        (order,) = shop.suppliers.order([OrderLine("A", "S1", "V1", 200)], RUN, day=DAY)
        (line,) = order.lines
        assert (line.cost_per_case_cents, line.unit_cost_cents, line.cost_cents) == (599, 6, 1198)
        assert shop.suppliers.get(order.name).lines == (line,)
        (message,) = shop.outbox.pending(TOPIC)
        with write_order(tmp_path, message.payload).csv.open(encoding="utf-8-sig") as stream:
            (row,) = csv.DictReader(stream)
        assert (row["unit_cost"], row["case_cost"], row["amount"]) == ("", "5.99", "11.98")
        assert order.cost_cents == 1198


def test_terms_may_leave_the_lead_time_open(database: Database) -> None:
    """Then whoever orders says what to assume."""
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        shop.record([supply("A", "V1", cost=100, lead_time_days=None)])
        assert shop.suppliers.terms().column("lead_time_days").to_pylist() == [None]
        (order,) = shop.suppliers.order(
            [OrderLine("A", "S1", "V1", 24)], RUN, day=DAY, lead_time_days=9
        )
        assert order.due == DAY + timedelta(days=9)


def test_a_decision_is_ordered_once(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        shop.suppliers.order(three_lines()[:1], RUN, day=DAY)
        with pytest.raises(Conflict, match="decision 11 is ordered as SH-000001"):
            shop.suppliers.order(three_lines(), RUN, day=DAY)
        with pytest.raises(Conflict, match="twice"):
            shop.suppliers.order([three_lines()[1]] * 2, RUN, day=DAY)
        assert shop.suppliers.order([], RUN, day=DAY) == []


def test_an_order_lives_from_proposed_to_received(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        lines = [OrderLine("A", "S1", "V1", 24), OrderLine("B", "S1", "V1", 10)]
        (order,) = shop.suppliers.order(lines, RUN, day=DAY)
        assert order.status is OrderStatus.PROPOSED
        assert shop.suppliers.sent([order.name]) == 1
        assert shop.suppliers.sent([order.name]) == 0
        assert shop.suppliers.get(order.name).status is OrderStatus.SENT

        def deliver(note: str, *arrived: Arrived) -> UUID:
            facts = shop.suppliers.receipt(order.name, arrived, note=note, at=START, day=DAY)
            return shop.record(facts)

        shop.record([counted("c", 3), counted("d", 0, sku="B")])
        first = deliver("LS-1", Arrived("A", 20, lot="L1"), Arrived("B", 12))
        deliver("LS-1", Arrived("A", 20, lot="L1"), Arrived("B", 12))
        assert shop.suppliers.get(order.name).status is OrderStatus.PART_RECEIVED
        assert open_quantities(shop) == {("A", "S1"): 4}
        assert [
            (r["difference"], r["sku"], r["quantity"])
            for r in shop.suppliers.differences(DAY).to_pylist()
        ] == [("over", "B", 2)]
        deliver("LS-2", Arrived("A", 4))
        assert shop.suppliers.get(order.name).status is OrderStatus.RECEIVED
        assert open_quantities(shop) == {}
        shop.undo(first)
        assert open_quantities(shop) == {("A", "S1"): 20, ("B", "S1"): 10}


def test_receipts_add_stock(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        (order,) = shop.suppliers.order([OrderLine("A", "S1", "V1", 24)], RUN, day=DAY)
        shop.record([counted("c", 3)])
        later = START + timedelta(hours=5)
        shop.record(
            shop.suppliers.receipt(order.name, [Arrived("A", 24)], note="1", at=later, day=DAY)
        )
        assert shop.nets() == {("A", "S1"): 27}


def test_the_rest_can_be_closed_or_cancelled(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        lines = [OrderLine("A", "S1", "V1", 24), OrderLine("B", "S1", "V1", 10)]
        (order,) = shop.suppliers.order(lines, RUN, day=DAY)
        batch = shop.record([closed("x", order=order.name, sku="A")])
        assert open_quantities(shop) == {("B", "S1"): 10}
        shop.undo(batch)
        assert open_quantities(shop) == {("A", "S1"): 24, ("B", "S1"): 10}
        with pytest.raises(BadInput, match="reason"):
            shop.suppliers.cancel(order.name, reason=" ")
        shop.suppliers.cancel(order.name, reason="the season is over")
        assert open_quantities(shop) == {}
        assert shop.suppliers.get(order.name).status is OrderStatus.CLOSED
        with pytest.raises(Conflict, match="nothing open"):
            shop.suppliers.cancel(order.name, reason="again")


def test_what_is_not_ours_can_not_be_received(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        with pytest.raises(NotFound, match="SH-000009"):
            shop.suppliers.receipt("SH-000009", [], note="1", at=START, day=DAY)
        (order,) = shop.suppliers.order([OrderLine("A", "S1", "V1", 24)], RUN, day=DAY)
        with pytest.raises(BadInput, match="can't receive 0"):
            shop.suppliers.receipt(order.name, [Arrived("A", 0)], note="1", at=START, day=DAY)


def test_an_echo_of_our_order_does_not_count_twice(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        (order,) = shop.suppliers.order([OrderLine("A", "S1", "V1", 24)], RUN, day=DAY)
        shop.record([ordered("echo", 24, order=order.name)])
        assert open_quantities(shop) == {("A", "S1"): 24}


def test_an_outside_order_that_shares_our_number_is_an_order_of_its_own(
    database: Database,
) -> None:
    """What makes an echo is the number together with place and supplier."""
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        (order,) = shop.suppliers.order([OrderLine("A", "S1", "V1", 24)], RUN, day=DAY)
        shop.record(
            [
                ordered("echo", 24, order=order.name),
                ordered("there", 5, order=order.name, place="S2"),
                ordered("other", 7, order=order.name, sku="B", party="V2"),
            ]
        )
        assert open_quantities(shop) == {("A", "S1"): 24, ("A", "S2"): 5, ("B", "S1"): 7}
        shop.record([received("r", 5, order=order.name, place="S2")])
        assert open_quantities(shop) == {("A", "S1"): 24, ("B", "S1"): 7}
        assert shop.suppliers.get(order.name).status is OrderStatus.PROPOSED


def test_numbers_that_are_used_outside_are_left_out(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        shop.record(
            [
                ordered("erp", 5, order="SH-000001", place="S9"),
                received("late", 5, order="SH-000003", place="S9"),
                closed("gone", order="SH-000004"),
            ]
        )
        lines = [OrderLine("A", place, "V1", 24) for place in ("S1", "S2", "S3")]
        orders = shop.suppliers.order(lines, RUN, day=DAY)
        assert [order.name for order in orders] == ["SH-000002", "SH-000005", "SH-000006"]
        assert open_quantities(shop)["A", "S9"] == 5


def test_an_order_that_two_systems_report_counts_once(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        shop.record(
            [
                ordered("1", 24, order="4711", line="1"),
                ordered("2", 6, order="4711", line="2"),
                ordered("w", 28, order="4711", source="wms", hour=5),
            ]
        )
        assert open_quantities(shop) == {("A", "S1"): 28}


def test_receipts_fill_the_lines_that_are_due_first(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        shop.record(
            [
                ordered("late", 10, order="4711", due="2024-06-20", line="1"),
                ordered("soon", 10, order="4711", due="2024-06-01", line="2"),
                received("r", 14, order="4711"),
                received("stray", 5, order="4711", sku="Z"),
            ]
        )
        (row,) = shop.suppliers.on_order(DAY).to_pylist()
        assert (row["quantity"], row["due"], row["overdue_days"]) == (6, date(2024, 6, 20), 0)
        (row,) = shop.suppliers.on_order(date(2024, 6, 25)).to_pylist()
        assert row["overdue_days"] == 5
        assert [
            (r["difference"], r["sku"], r["quantity"])
            for r in shop.suppliers.differences(date(2024, 6, 25)).to_pylist()
        ] == [("overdue", "A", -6), ("unordered", "Z", 5)]


def test_lead_times_are_measured_on_complete_lines(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop = Shop.of(tx)
        day = 24
        shop.record(
            [
                ordered("a", 10, order="1", due="2024-06-05"),
                received("a1", 4, order="1", hour=1 * day),
                received("a2", 6, order="1", hour=2 * day),
                ordered("b", 10, order="2", due="2024-06-05"),
                received("b1", 10, order="2", hour=4 * day),
                ordered("c", 10, order="3", due="2024-06-05"),
                received("c1", 5, order="3", hour=3 * day),
                closed("c2", order="3"),
                ordered("open", 10, order="4", due="2024-06-05"),
            ]
        )
        per_supplier, per_sku = shop.suppliers.lead_times().to_pylist()
        assert (per_supplier["sku"], per_sku["sku"]) == (None, "A")
        assert per_sku == {**per_supplier, "sku": "A"}
        assert (per_sku["supplier"], per_sku["n"], per_sku["lines"]) == ("V1", 3, 3)
        assert per_sku["mean_days"] == pytest.approx(3.0)
        assert per_sku["sd_days"] == pytest.approx(1.0)
        assert per_sku["on_time_share"] == pytest.approx(1 / 3)
        assert per_sku["in_full_share"] == pytest.approx(2 / 3)
        assert per_sku["fill_share"] == pytest.approx(25 / 30)


stories = st.lists(
    st.tuples(
        st.sampled_from(["ordered", "received", "closed"]),
        st.integers(0, 3),
        st.integers(0, 2),
        st.integers(1, 9),
        st.sampled_from("XY"),
    ),
    min_size=1,
    max_size=10,
    unique_by=lambda one: one[:3],
)


def told(one: tuple[str, int, int, int, str]) -> Fact:
    kind, number, revision, quantity, order = one
    name = f"{kind}/{number}"
    if kind == "ordered":
        return ordered(name, quantity, order=order, due="2024-06-05", revision=revision)
    if kind == "received":
        return received(name, quantity, order=order, revision=revision)
    return closed(name, order=order, revision=revision)


@settings(
    deadline=timedelta(seconds=20),
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stories, st.data())
def test_any_order_of_facts_ends_alike(
    database: Database, story: list[tuple[str, int, int, int, str]], data: st.DataObject
) -> None:
    facts = [told(one) for one in story]
    other = data.draw(st.permutations(facts)) + data.draw(st.lists(st.sampled_from(facts)))
    with database.transaction(actor="tester") as tx:
        with rolled_back(tx) as shop:
            shop.record(facts)
            on_order = shop.suppliers.on_order(DAY)
            differences = shop.suppliers.differences(DAY)
            assert all(row["quantity"] > 0 for row in on_order.to_pylist())
        with rolled_back(tx) as shop:
            for each in other:
                shop.record([each])
            assert shop.suppliers.on_order(DAY) == on_order
            assert shop.suppliers.differences(DAY) == differences
