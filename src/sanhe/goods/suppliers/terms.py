"""Supply terms: what is agreed, filled up by what the item says, and the choice for each place."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from sanhe.core.storage import Transaction
from sanhe.goods.catalog import Catalog
from sanhe.goods.suppliers import store

if TYPE_CHECKING:
    import pyarrow as pa


def terms(tx: Transaction, *, day: date | None, skus: Sequence[str] | None) -> pa.Table:
    """All terms that count on a day, first choice first within each SKU and place."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = store.read_terms(tx, day, skus)
    items = Catalog(tx).items(pc.unique(table.column("sku")).to_pylist(), day=day)
    at = pc.index_in(table.column("sku"), items.column("sku").combine_chunks())
    case = pc.coalesce(table.column("case_size"), items.column("case_size").take(at))
    case = pc.max_element_wise(pc.fill_null(case, 1), 1).cast(pa.int64())
    per_unit = pc.divide(table.column("cost_per_case_cents").cast(pa.float64()), case)
    cost = pc.coalesce(table.column("unit_cost_cents"), pc.round(per_unit).cast(pa.int64()))
    return _put(_put(table, "case_size", case), "unit_cost_cents", cost)


def choose(offered: pa.Table, skus: Sequence[str], places: Sequence[str]) -> pa.Table:
    """One row of `offered` for each (sku, place), in order; all null where nothing is agreed.

    Terms of the place win over terms without a place; then the first choice.
    """
    import pyarrow as pa

    first: dict[tuple[str, str | None], int] = {}
    columns = (offered.column("sku").to_pylist(), offered.column("place").to_pylist())
    for index, key in enumerate(zip(*columns, strict=True)):
        first.setdefault(key, index)
    rows = [
        first.get((sku, place), first.get((sku, None)))
        for sku, place in zip(skus, places, strict=True)
    ]
    chosen = offered.take(pa.array(rows, pa.int64()))
    return _put(
        _put(chosen, "sku", pa.array(skus, pa.string())),
        "place",
        pa.array(places, pa.string()),
    )


def _put(table: pa.Table, name: str, column: object) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)
