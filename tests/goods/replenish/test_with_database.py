"""From facts to a purchase order and back to nothing to do, on the real parts and one database."""

from __future__ import annotations

from datetime import timedelta

import pyarrow as pa

from sanhe.core.decisions import PostgresDecisions, Status
from sanhe.core.facts import Fact
from sanhe.core.storage import Database, Transaction
from sanhe.goods.replenish import DECISION_KIND, Known, Replenish
from sanhe.goods.suppliers import TOPIC, Arrived
from tests.goods.replenish.doubles import FlatForecast, flat_forecast
from tests.goods.shop import DAY, START, Shop, counted, fact

FORECAST = flat_forecast([("A", "S1", 4.0), ("B", "S1", 2.0)], as_of=DAY)


def opened(tx: Transaction) -> tuple[Shop, Replenish]:
    """A shop with two SKUs of one supplier, and replenishment on the same transaction."""
    shop = Shop.of(tx)
    supply = [("lead_time_days", 2), ("case", 6), ("cost_per_case_cents", 1000)]
    shop.record(
        [
            fact("item.described", "item/A", place=None, payload=[("name", "tea")]),
            fact("item.described", "item/B", place=None, sku="B", payload=[("name", "milk")]),
            fact(
                "supplier.described",
                "supplier/V1",
                sku=None,
                place=None,
                party="V1",
                payload=[("name", "Vendor one")],
            ),
            fact("supply.agreed", "supply/A", place=None, party="V1", payload=supply),
            fact("supply.agreed", "supply/B", place=None, sku="B", party="V1", payload=supply),
            fact("price.set", "price/A", place=None, amount_cents=300),
            counted("count/A", 5),
            counted("count/B", -3, sku="B"),
        ]
    )
    decisions = PostgresDecisions(tx)
    decisions.register(DECISION_KIND)
    return shop, Replenish(decisions, tx.clock)


def known(shop: Shop) -> Known:
    """What the façades say, as the wiring gives it."""
    return Known(
        items=shop.catalog.items(),
        positions=shop.stock.positions(),
        lots=shop.stock.lots(),
        terms=shop.suppliers.terms(),
        on_order=shop.suppliers.on_order(DAY),
        prices=shop.catalog.prices(DAY),
        lead_times=shop.suppliers.lead_times(),
    )


def test_a_need_becomes_an_order_once(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        plan = replenish.propose(FORECAST, known(shop))
        assert plan.proposed == 2
        assert replenish.propose(FORECAST, known(shop)).proposed == 0
        replenish.decisions.approve(plan.numbers)
        done = replenish.execute(shop.suppliers, day=DAY)
        assert len(done.orders) == 1
        order = shop.suppliers.get(done.orders[0])
        quantities = {line.decision: line.quantity for line in order.lines}
        for number in plan.numbers:
            decision = replenish.decisions.get(number)
            assert decision.status is Status.EXECUTED
            assert decision.actions == done.orders
            assert quantities[number] == decision.value
            cents = round(decision.value / 6 * 1000)
            assert decision.proposal.value_cents == cents
        assert order.cost_cents == sum(
            replenish.decisions.get(number).proposal.value_cents for number in plan.numbers
        )
        assert [message.key for message in shop.outbox.pending(TOPIC)] == [order.name]
        again = replenish.propose(FORECAST, known(shop))
        assert (again.proposed, again.already_open) == (0, 0)


def test_lots_that_expire_are_ordered_anew_and_told(database: Database) -> None:
    """9 teas are there, at 4 a day: of the 7 that may be sold today only 3 will be left over."""
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        plain = replenish.explain_line(FORECAST, known(shop), sku="A", place="S1")
        dated = [("lot", "L1"), ("expires", DAY.isoformat())]
        shop.record(
            [
                counted("lot/1", 7, hour=1, payload=dated),
                counted("lot/2", 2, hour=1, payload=[("lot", "L2")]),
            ]
        )
        told = replenish.explain_line(FORECAST, known(shop), sku="A", place="S1")
        assert {term.name: term.value for term in told.terms}["expiring"] == 3
        lot = {"expires": DAY.isoformat(), "quantity": 7, "demand_until_then": 4.0}
        assert told.inputs["expiring_lots"] == [lot]
        assert "expiring_lots" not in plain.inputs
        number = replenish.propose(FORECAST, known(shop)).numbers[0]
        assert replenish.explain(number).terms == told.terms


def test_limits_of_deliveries_come_from_facts(database: Database) -> None:
    """The truck takes two of the cases wanted, and what was ordered keeps its room on it."""

    def described(party: str, name: str, limit: int) -> Fact:
        return fact(
            "supplier.described",
            f"supplier/{party}/2",
            sku=None,
            place=None,
            party=party,
            hour=1,
            payload=[("name", party), (name, limit)],
        )

    weights = [("lead_time_days", 2), ("case", 6), ("case_grams", 8_000)]
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        shop.record(
            [
                described("V1", "truck_grams", 23_000),
                fact(
                    "supply.agreed", "supply/A/2", place=None, party="V1", hour=1, payload=weights
                ),
            ]
        )
        plan = replenish.propose(FORECAST, known(shop))
        (cut,) = [
            decision.proposal
            for decision in map(replenish.decisions.get, plan.numbers)
            if decision.proposal.subject.sku == "A"
        ]
        assert cut.constraints[-1] == "truck_weight"
        assert (cut.value, sum(cut.terms)) == (12, 12)
        assert plan.assumed["case_weight"] == 1
        replenish.decisions.approve(plan.numbers)
        replenish.execute(shop.suppliers, day=DAY)
        again = replenish.propose(FORECAST, known(shop))
        assert again.proposed == 0
        assert again.limits["truck_weight"] == 1


def test_the_next_morning_counts_what_is_on_its_way_and_what_has_arrived(
    database: Database,
) -> None:
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        plan = replenish.propose(FORECAST, known(shop))
        replenish.decisions.approve(plan.numbers)
        (name,) = replenish.execute(shop.suppliers, day=DAY).orders
        ordered = {line.sku: line.quantity for line in shop.suppliers.get(name).lines}
        told = replenish.explain_line(FORECAST, known(shop), sku="A", place="S1")
        assert told.inputs["on_order"] == ordered["A"]
        arrived = [Arrived(sku, quantity) for sku, quantity in ordered.items()]
        day = DAY + timedelta(days=2)
        shop.record(
            shop.suppliers.receipt(name, arrived, note="N1", at=START + timedelta(days=2), day=day)
        )
        told = replenish.explain_line(FORECAST, known(shop), sku="A", place="S1")
        assert (told.inputs["on_order"], told.inputs["on_hand"]) == (0, 5 + ordered["A"])


def test_a_record_below_zero_is_named_and_orders_no_more_than_an_empty_shelf(
    database: Database,
) -> None:
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        told = replenish.explain_line(FORECAST, known(shop), sku="B", place="S1")
        assert told.inputs["on_hand"] == -3
        shop.record([counted("count/B/2", 0, sku="B", hour=1)])
        empty = replenish.explain_line(FORECAST, known(shop), sku="B", place="S1")
        assert told.quantity == empty.quantity
        assert len(told.limits) == len(empty.limits) + 1


def test_the_recorded_explanation_reads_like_the_computed_one(database: Database) -> None:
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        number = replenish.propose(FORECAST, known(shop)).numbers[0]
        recorded = replenish.explain(number)
        computed = replenish.explain_line(
            FORECAST, known(shop), sku=recorded.sku, place=recorded.place
        )
        for name in ("reason", "terms", "limits", "assumed", "forecast", "quantity", "expected"):
            assert getattr(recorded, name) == getattr(computed, name)
        assert dict(recorded.inputs) == dict(computed.inputs)


def test_an_assumed_stock_is_proposed_for_where_nothing_is_known(database: Database) -> None:
    lonely: FlatForecast = flat_forecast([("Z", "S9", 3.0)], as_of=DAY)
    with database.transaction(actor="planner") as tx:
        shop, replenish = opened(tx)
        plan = replenish.propose(lonely, known(shop))
        replenish.decisions.approve(plan.numbers)
        (name,) = replenish.execute(shop.suppliers, day=DAY).orders
        order = shop.suppliers.get(name)
        assert (order.supplier, order.cost_cents) == ("UNKNOWN", 0)
        assert order.due == DAY + timedelta(days=replenish.assumptions.lead_time_days)
        assert isinstance(shop.suppliers.on_order(DAY), pa.Table)
        assert replenish.propose(lonely, known(shop)).proposed == 0
