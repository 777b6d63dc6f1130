"""The product as the planner of a simulated retailer: plan, approve, order, every morning."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sanhe.core.decisions import Status
from sanhe.wiring import PlanRequest, Sanhe, approve, plan, record_facts, run_jobs

if TYPE_CHECKING:
    import pyarrow as pa

ACTOR = "simulation"


class Installation:
    """Steers a `LiveWorld` by an opened installation that holds its history.

    Every proposal is approved as it is; `method` is the forecast method of each morning.
    """

    def __init__(self, sanhe: Sanhe, *, source: str, method: str = "champion") -> None:
        self._sanhe, self._source, self._method = sanhe, source, method

    def record(self, name: str, facts: pa.Table) -> None:
        """Take in one delivery of facts by the same door as any other."""
        record_facts(self._sanhe, {name: facts}, source=self._source, actor=ACTOR)

    def plan(self, as_of: date) -> pa.Table:
        """Plan and order; returns the order lines now at the suppliers (see `Planner.plan`)."""
        import pyarrow as pa

        request = PlanRequest(as_of=as_of, horizon_days=14, method=self._method)
        planned = plan(self._sanhe, request, actor=ACTOR)
        with self._sanhe.work(actor=ACTOR) as work:
            proposed = work.decisions.find(
                run=planned.plan.run, statuses={Status.PROPOSED}, limit=1_000_000
            )
        names = list(planned.orders)
        if proposed:
            numbers = [decision.number for decision in proposed]
            approve(self._sanhe, numbers, reason="", actor=ACTOR)
            names += run_jobs(self._sanhe)
        with self._sanhe.work(actor=ACTOR) as work:
            orders = work.suppliers.orders(names=names) if names else []
        lines = [
            (order.name, str(line.line), line.sku, order.place, line.quantity)
            for order in orders
            for line in order.lines
        ]
        columns = ("order", "line", "sku", "place", "quantity")
        types = (pa.string(), pa.string(), pa.string(), pa.string(), pa.int64())
        return pa.table(
            {
                name: pa.array([line[at] for line in lines], kind)
                for at, (name, kind) in enumerate(zip(columns, types, strict=True))
            }
        )
