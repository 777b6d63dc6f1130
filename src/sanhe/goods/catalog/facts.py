"""The fact types of the catalogue."""

from __future__ import annotations

from sanhe.core.facts import FactField, FactType

ITEM_DESCRIBED = FactType(
    name="item.described",
    everywhere=True,
    owner="goods.catalog",
    meaning=(
        "An SKU as its owner describes it from the event day on; of several descriptions the one "
        "with the latest event counts, as a whole"
    ),
    needs=("sku",),
    payload={
        "name": FactField("str", "what people call it", required=True),
        "category": FactField("str", "path from the root, steps parted by /"),
        "brand": FactField("str", "the brand it is sold under"),
        "gtin": FactField("str", "GTIN-8, -12, -13 or -14 with check digit"),
        "base_unit": FactField("str", 'what one unit of quantity is: "each", "g", "0.01 each"'),
        "pack": FactField("int", "base units in one inner pack"),
        "case": FactField("int", "base units in one case"),
        "shelf_life_days": FactField("int", "days from receipt to the last day of sale"),
        "variant_of": FactField("str", "the SKU of its style or parent"),
        "attributes": FactField("str", "further attributes, as JSON text"),
        "components": FactField(
            "str", "of a bundle: base units of other SKUs in one of it, e.g. SKU-1:2 SKU-7:1"
        ),
    },
    writers=("connectors.files", "sim"),
    readers=("goods.catalog", "goods.demand"),
)

PRICE_SET = FactType(
    name="price.set",
    everywhere=True,
    owner="goods.catalog",
    meaning=(
        "A selling price per base unit, or per `per_units` base units, from the event day on; "
        "without a place it holds wherever no price of the place's own is set"
    ),
    needs=("sku", "amount_cents"),
    payload={
        "tax_included": FactField("bool", "whether the price includes the tax"),
        "tax_rate": FactField("float", "0.13 = 13 %"),
        "per_units": FactField("int", "base units the amount is for; 1 when left out"),
        "member_cents": FactField("int", "the price for members, of the same units, if another"),
    },
    writers=("connectors.files", "sim"),
    readers=("goods.catalog", "goods.demand"),
)

FACT_TYPES = (ITEM_DESCRIBED, PRICE_SET)
