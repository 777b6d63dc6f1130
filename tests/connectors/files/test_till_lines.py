"""Till lines: every scan counts, with line numbers and without."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.connectors.files.desk import facts_of, planned, rejects_of, written

HEADER = "time,store,receipt,sku,qty,amount"
SCANS = [
    "2024-05-01 10:00:05,S1,R1,A1,1,2.50",
    "2024-05-01 10:00:09,S1,R1,A1,1,2.50",
    "2024-05-01 10:00:09,S1,R1,A1,1,2.50",
    "2024-05-01 10:00:12,S1,R1,A2,3,9.00",
    "2024-05-01 10:00:20,S1,R1,A1,-1,-2.50",
]


def till(folder: Path, rows: list[str], header: str = HEADER) -> Path:
    return written(folder, "\n".join([header, *rows]) + "\n")


def sold(facts: list[dict[str, Any]]) -> dict[str, tuple[int, int]]:
    return {fact["external_id"]: (fact["quantity"], fact["amount_cents"]) for fact in facts}


def test_scans_of_one_sku_are_added_up_and_returns_kept_apart(tmp_path: Path) -> None:
    facts = facts_of(till(tmp_path, SCANS))
    key = "line/S1/2024-05-01/R1"
    assert sold(facts) == {
        f"{key}/A1": (3, 750),
        f"{key}/A1/return": (-1, -250),
        f"{key}/A2": (3, 900),
    }
    assert facts[0]["event_at"] == datetime(2024, 5, 1, 2, 0, 5, tzinfo=UTC)
    with planned(till(tmp_path, SCANS)) as plan:
        (found,) = plan.summary.types
    assert (found.facts, found.summed, found.repeated) == (3, 2, 0)
    assert (found.quantity, found.amount_cents) == (5, 1400)


def test_with_line_numbers_equal_rows_count_once(tmp_path: Path) -> None:
    rows = [f"{row},{number}" for number, row in enumerate(SCANS, start=1)]
    path = till(tmp_path, [*rows, rows[0]], f"{HEADER},line")
    assert [quantity for quantity, _ in sold(facts_of(path)).values()] == [1, 1, 1, 3, -1]
    with planned(path) as plan:
        (found,) = plan.summary.types
        assert plan.samples()["sale.line"].num_rows == 5
    assert (found.facts, found.summed, found.repeated) == (5, 0, 1)


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_makes_no_difference(tmp_path: Path, seed: int) -> None:
    rows = SCANS.copy()
    random.Random(seed).shuffle(rows)
    assert facts_of(till(tmp_path, rows)) == facts_of(till(tmp_path, SCANS))
    assert facts_of(till(tmp_path, rows[1:])) != facts_of(till(tmp_path, SCANS))


def test_a_till_that_numbers_anew_each_day_loses_nothing(tmp_path: Path) -> None:
    rows = ["2024-05-01 10:00,S1,7,A1,1,2.50", "2024-05-02 09:00,S1,7,A1,2,5.00"]
    days = {fact["day"]: fact["quantity"] for fact in facts_of(till(tmp_path, rows))}
    assert days == {date(2024, 5, 1): 1, date(2024, 5, 2): 2}


def test_a_row_that_can_not_be_used_is_named_alone(tmp_path: Path) -> None:
    rows = [*SCANS, "2024-05-01 10:00:05,S1,R2,A1,x,2.50", "2025-05-01 10:00:05,S1,R2,A1,1,2.50"]
    refused = rejects_of(till(tmp_path, rows))
    assert [reject.row for reject in refused] == [7, 8]
    with planned(till(tmp_path, rows)) as plan:
        assert plan.summary.types[0].quantity == 5


def test_returns_of_several_sales_stay_apart(tmp_path: Path) -> None:
    rows = [f"2024-05-01 10:00,S1,R1,A1,-1,{sale}" for sale in ("R0", "R9", "R9")]
    facts = facts_of(till(tmp_path, rows, "time,store,receipt,sku,qty,return of"))
    assert [fact["quantity"] for fact in facts] == [-1, -2]
    assert [fact["payload"].count("R9") for fact in facts] == [0, 1]


def test_rows_of_one_key_with_other_content_are_refused(tmp_path: Path) -> None:
    """Sums are of quantities and amounts alone: what differs otherwise is no sum."""
    rows = ["2024-05-01 10:00,S1,R1,A1,1,R0", "2024-05-01 10:00,S1,R1,A1,1,R9"]
    refused = rejects_of(till(tmp_path, rows, "time,store,receipt,sku,qty,return of"))
    assert [reject.row for reject in refused] == [2, 3]
    assert "with other content" in refused[0].reason
