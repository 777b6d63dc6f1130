"""The catalogue: SKUs and prices read as of a day, with the findings of their quality."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from sanhe.core.errors import NotFound
from sanhe.core.facts import follow
from sanhe.core.storage import Transaction
from sanhe.goods.catalog import rules, store
from sanhe.goods.catalog.facts import FACT_TYPES

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class Item:
    """One SKU as described; sizes in base units, None = not told."""

    sku: str
    name: str
    category: str | None
    gtin: str | None
    base_unit: str
    pack: int | None
    case_size: int | None
    shelf_life_days: int | None
    variant_of: str | None
    attributes: str | None
    described_on: date


@dataclass(frozen=True, slots=True)
class Selling:
    """What it takes to sell an SKU at a place on a day.

    `price_cents` is for `per_units` base units, None where no price holds; `tax_rate_ppm` is the
    tax in parts per million, None where none is told; `components` are those of a bundle.
    `category` is a path, "" where none is told; `member_price_cents` is the price for members
    (会员价), None where they have none of their own.
    """

    sku: str
    name: str
    base_unit: str
    price_cents: int | None
    currency: str | None
    per_units: int
    tax_included: bool
    tax_rate_ppm: int | None
    components: tuple[tuple[str, int], ...] = ()
    category: str = ""
    brand: str = ""
    member_price_cents: int | None = None


class Catalog:
    """The catalogue within one transaction; a projection of item.described and price.set."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    @property
    def types(self) -> frozenset[str]:
        """The fact types it reads."""
        return frozenset(kind.name for kind in FACT_TYPES)

    def apply(self, batch: UUID) -> None:
        """Bring descriptions and prices in line with the facts this batch touched."""
        follow(self._tx, batch, "goods.catalog", mirrors=(store.ITEMS, store.PRICES))

    def items(self, skus: Collection[str] | None = None, *, day: date | None = None) -> pa.Table:
        """SKUs sorted by code: sku, name, category, gtin, base_unit, pack, case_size,
        shelf_life_days, variant_of, attributes, described_on.

        `day` = as described on that day (dated conversions); None = the newest description.
        """
        return store.read_items(self._tx, None if skus is None else sorted(skus), day)

    def item(self, sku: str, *, day: date | None = None) -> Item:
        """One SKU. Raises NotFound."""
        found = store.read_items(self._tx, [sku], day).to_pylist()
        if not found:
            raise NotFound(f"no SKU {sku!r} is described: import it with the items")
        return Item(**found[0])

    def search(self, text: str, *, limit: int = 20) -> pa.Table:
        """SKUs whose code, GTIN, name or category contains `text`, the closest first."""
        return store.search_items(self._tx, text.strip(), limit)

    def variants(self, sku: str) -> list[Item]:
        """The family of an SKU (款): its style or parent and all variants of it, by code."""
        parent = self.item(sku).variant_of or sku
        return [
            Item(**row)
            for row in self.items().to_pylist()
            if parent in (row["sku"], row["variant_of"])
        ]

    def categories(self) -> list[rules.Category]:
        """The category tree, derived from the SKUs' paths, with the count of SKUs."""
        return rules.category_tree(self.items().column("category").to_pylist())

    def brands(self) -> list[str]:
        """The brands (品牌) of the SKUs."""
        return store.read_brands(self._tx)

    def prices(self, day: date, *, skus: Collection[str] | None = None) -> pa.Table:
        """Prices that hold on a day: sku, place (null = wherever no own price is set),
        price_cents, currency, per_units (base units the price is for), tax_included, tax_rate,
        valid_from."""
        return store.read_prices(self._tx, day, None if skus is None else sorted(skus))

    def price_history(self, skus: Collection[str] | None = None) -> pa.Table:
        """All prices as `prices` gives them, with `valid_until` (excluded; null = still)."""
        return store.read_price_history(self._tx, None if skus is None else sorted(skus))

    def selling(self, skus: Collection[str], place: str, *, day: date) -> dict[str, Selling]:
        """What it takes to sell these SKUs at a place; those that are not described are missing.

        The place's own price wins over the one that holds everywhere.
        """
        rows = store.read_selling(self._tx, sorted(set(skus)), place, day=day)
        return {
            row.sku: Selling(
                **{
                    **row._mapping,
                    "category": "/".join(rules.category_path(row.category)),
                    "components": rules.components(row.components),
                }
            )
            for row in rows
        }

    def alike(self, sku: str) -> list[str]:
        """The SKUs that share a category with this one now or did once, itself among them."""
        return store.read_alike(self._tx, sku)

    def findings(self) -> list[rules.Finding]:
        """What is odd in the descriptions: kept as given, listed here until it is mended."""
        names = tuple(rules.ItemTerms.__dataclass_fields__)
        rows = self.items().select(names).to_pylist()
        return rules.quality_findings([rules.ItemTerms(**row) for row in rows])
