"""The shipped mappings on the public data sets they are for; skipped where those are absent."""

from __future__ import annotations

import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sanhe.connectors.files import ImportPlan, Known, plan_import
from tests.connectors.files.desk import GOODS_TYPES, whole

DATA = Path(os.environ.get("SANHE_DATA", Path(__file__).parents[4] / "shared" / "data"))
FRESH = DATA / "freshretailnet50k" / "train_daily.parquet"
IOWA = DATA / "iowa_liquor"
AS_OF = date(2024, 6, 25)

needs_fresh = pytest.mark.skipif(not FRESH.exists(), reason=f"no FreshRetailNet file {FRESH}")
needs_iowa = pytest.mark.skipif(not IOWA.exists(), reason=f"no Iowa files in {IOWA}")


def first_rows(source: Path, folder: Path, rows: int) -> Path:
    path = folder / source.name
    batch = next(pq.ParquetFile(source).iter_batches(batch_size=rows))
    table = batch.select([name for name in batch.schema.names if name != "hours_sale"])
    pq.write_table(pa.Table.from_batches([table]), path)
    return path


def facts(plan: ImportPlan) -> dict[str, list[dict[str, Any]]]:
    plan.require_usable()
    rows: dict[str, list[dict[str, Any]]] = {}
    for fact in GOODS_TYPES.checked(whole(plan.tables())).to_pylist():
        rows.setdefault(fact["type"], []).append(fact)
    return rows


@needs_fresh
def test_freshretailnet(tmp_path: Path) -> None:
    path = first_rows(FRESH, tmp_path, 9_000)
    source = pq.read_table(path).to_pylist()
    with plan_import(path, as_of=AS_OF) as plan:
        assert plan.mapping.name == "freshretailnet"
        found = facts(plan)
    sales = {(f["place"], f["sku"], f["day"]): f for f in found["sale.day"]}
    assert len(sales) == len(source) == 9_000
    for row in source:
        fact = sales[str(row["store_id"]), str(row["product_id"]), row["dt"]]
        assert fact["quantity"] == round(100 * row["sale_amount"])
    discounts = {}
    for fact in found["promotion.published"]:
        payload = payload_of(fact["payload"])
        until = date.fromisoformat(payload["until"])
        assert payload.get("open_ended", False) == (until == AS_OF)
        for number in range(fact["day"].toordinal(), until.toordinal() + 1):
            key = (fact["place"], fact["sku"], date.fromordinal(number))
            assert key not in discounts
            discounts[key] = (payload["discount"], payload["activity"])
    for row in source:
        key = (str(row["store_id"]), str(row["product_id"]), row["dt"])
        expected = (round(row["discount"], 3), bool(row["activity_flag"]))
        if expected == (1.0, False):
            assert key not in discounts
        else:
            assert discounts[key] == pytest.approx(expected, abs=6e-4)
    days = {(fact["place"], fact["day"]) for fact in found["weather.observed"]}
    assert days == {(str(row["store_id"]), row["dt"]) for row in source}


def payload_of(text: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(text)
    return loaded


@needs_fresh
def test_freshretailnet_holidays_are_what_differs_from_the_week(tmp_path: Path) -> None:
    with plan_import(first_rows(FRESH, tmp_path, 900), as_of=AS_OF) as plan:
        found = facts(plan)["holiday.declared"]
    kinds = {fact["day"]: payload_of(fact["payload"])["kind"] for fact in found}
    assert kinds[date(2024, 4, 4)] == kinds[date(2024, 5, 1)] == "public"
    assert kinds[date(2024, 4, 7)] == "working_day"
    assert all(day.isoweekday() < 6 for day, kind in kinds.items() if kind == "public")


@needs_iowa
def test_iowa_items_and_stores(tmp_path: Path) -> None:
    with plan_import(IOWA / "items.parquet", as_of=AS_OF) as plan:
        assert plan.mapping.name == "iowa_items"
        found = facts(plan)
    assert {name: len(rows) for name, rows in found.items()} == {
        "supplier.described": 284,
        "item.described": 6_482,
        "supply.agreed": 6_482,
        "price.set": 6_482,
    }
    assert {row["currency"] for row in found["supply.agreed"]} == {"USD"}
    assert "lead_time_days" not in payload_of(found["supply.agreed"][0]["payload"])
    with plan_import(IOWA / "stores.parquet", as_of=AS_OF) as plan:
        assert len(facts(plan)["place.described"]) == 2_296


@needs_iowa
def test_iowa_orders_name_items_that_the_master_lacks(tmp_path: Path) -> None:
    path = first_rows(IOWA / "store_orders.parquet", tmp_path, 20_000)
    items = pq.read_table(IOWA / "items.parquet", columns=["item_id"])
    known = {str(code) for code in items.column(0).to_pylist()}
    with plan_import(path, as_of=AS_OF, known=Known(skus=known)) as plan:
        summary = plan.summary
    assert plan.mapping.name == "iowa_store_orders"
    assert any("stands for what it sells" in note for note in summary.notes)
    assert summary.rejected_rows + summary.types[0].facts == 20_000
    assert 0 < summary.reject_share < 0.2
    assert {reason.reason for reason in summary.reasons} == {"an unknown SKU"}
