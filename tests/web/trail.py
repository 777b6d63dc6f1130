"""The tables whose entries stay and name who acted."""

from __future__ import annotations

from collections import Counter

from sanhe.wiring import Sanhe

TRAILS = ("audit_event", "decision_event", "fact_batch", "sales_order_event", "store_task_event")


def entries(sanhe: Sanhe) -> Counter[str]:
    """How many entries there are by each who acted."""
    found: Counter[str] = Counter()
    with sanhe.database.transaction(actor="auditor") as tx:
        for table in TRAILS:
            rows = tx.connection.exec_driver_sql(
                f"SELECT actor, count(*) FROM {table} GROUP BY actor"
            )
            found.update({str(actor): int(count) for actor, count in rows})
    return found
