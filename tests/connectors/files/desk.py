"""What the tests of imports share: a desk to write files on, and one way to plan them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa

from sanhe.connectors.files import ImportPlan, Known, Reject, plan_import
from sanhe.core.facts import FACT_SCHEMA, FactTypes
from sanhe.core.places import FACT_TYPES as PLACE_TYPES
from sanhe.goods.catalog import FACT_TYPES as CATALOG_TYPES
from sanhe.goods.demand import FACT_TYPES as DEMAND_TYPES
from sanhe.goods.stock import FACT_TYPES as STOCK_TYPES
from sanhe.goods.suppliers import FACT_TYPES as SUPPLIER_TYPES
from sanhe.people.coupons import FACT_TYPES as COUPON_TYPES
from sanhe.place.stores import FACT_TYPES as STORE_TYPES

AS_OF = date(2024, 6, 30)
KNOWN = Known(skus={"A1", "A2", "A3"}, places={"S1", "S2"}, suppliers={"V1"})
HEADER = "date,store,sku,quantity,amount"
GOODS_TYPES = FactTypes(
    [
        *PLACE_TYPES,
        *CATALOG_TYPES,
        *COUPON_TYPES,
        *DEMAND_TYPES,
        *STOCK_TYPES,
        *STORE_TYPES,
        *SUPPLIER_TYPES,
    ]
)


def planned(path: Path, **options: Any) -> ImportPlan:
    """A plan of the file with the desk's masters and day."""
    return plan_import(path, **{"as_of": AS_OF, "known": KNOWN, **options})


def written(folder: Path, text: str, *, name: str = "in.csv", encoding: str = "utf-8") -> Path:
    """A text file."""
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def facts_of(path: Path, **options: Any) -> list[dict[str, Any]]:
    """All facts of a file that must be usable, sorted by type and external id."""
    with planned(path, **options) as plan:
        plan.require_usable()
        rows = [row for table in plan.tables() for row in table.to_pylist()]
    return sorted(rows, key=lambda row: (row["type"], row["external_id"]))


def rejects_of(path: Path, **options: Any) -> list[Reject]:
    """All rejects of a file."""
    with planned(path, **options) as plan:
        return list(plan.rejects())


def whole(tables: Iterable[pa.Table]) -> pa.Table:
    """The tables as one."""
    return pa.concat_tables([FACT_SCHEMA.empty_table(), *tables])
