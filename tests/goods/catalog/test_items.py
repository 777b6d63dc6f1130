"""The catalogue follows its facts; wrong codes are kept and listed."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sanhe.core.errors import NotFound
from sanhe.core.facts import Fact
from sanhe.core.storage import Database
from tests.goods.shop import Shop, fact, rolled_back


def item(sku: str, *, hour: int = 0, revision: int = 0, name: str = "", **more: object) -> Fact:
    payload = {"name": name or f"item {sku}", **more}
    return fact(
        "item.described",
        f"item/{sku}/{hour}",
        sku=sku,
        place=None,
        hour=hour,
        revision=revision,
        payload=list(payload.items()),
    )


def price(sku: str, cents: int, *, hour: int = 0, place: str | None = None) -> Fact:
    return fact(
        "price.set",
        f"price/{sku}/{place}/{hour}",
        sku=sku,
        place=place,
        hour=hour,
        amount_cents=cents,
        currency="CNY",
        payload=[("tax_included", True), ("tax_rate", 0.13)],
    )


def test_a_wrong_gtin_is_kept_and_listed(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record(
            [
                item("A", gtin="4006381333932", category="fresh/fruit", pack=6),
                item("B", gtin="4006381333931", category="fresh"),
            ]
        )
        assert shop.catalog.item("A").gtin == "4006381333932"
        assert [(f.sku, f.field, f.value) for f in shop.catalog.findings()] == [
            ("A", "gtin", "4006381333932")
        ]
        shop.record([item("A", gtin="4006381333931", category="fresh/fruit", revision=1)])
        assert [f.sku for f in shop.catalog.findings()] == ["A", "B"]
        shop.record([item("A", gtin="96385074", category="fresh/fruit", revision=2)])
        assert shop.catalog.findings() == []


def test_sizes_are_dated(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([item("A", hour=48, case=12), item("A", case=10, base_unit="g")])
        assert shop.catalog.item("A").case_size == 12
        old = shop.catalog.item("A", day=date(2024, 6, 4))
        assert (old.case_size, old.base_unit) == (10, "g")
        with pytest.raises(NotFound, match="no SKU 'A'"):
            shop.catalog.item("A", day=date(2024, 6, 2))


def test_prices_hold_from_their_day_on(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record(
            [price("A", 500), price("A", 450, hour=48), price("A", 400, hour=24, place="S1")]
        )
        for day, expected in (
            (date(2024, 6, 2), []),
            (date(2024, 6, 3), [(None, 500)]),
            (date(2024, 6, 4), [(None, 500), ("S1", 400)]),
            (date(2024, 6, 5), [(None, 450), ("S1", 400)]),
        ):
            rows = shop.catalog.prices(day).to_pylist()
            assert [(row["place"], row["price_cents"]) for row in rows] == expected
        history = shop.catalog.price_history(["A"]).to_pylist()
        assert [(row["price_cents"], row["valid_from"], row["valid_until"]) for row in history] == [
            (500, date(2024, 6, 3), date(2024, 6, 5)),
            (450, date(2024, 6, 5), None),
            (400, date(2024, 6, 4), None),
        ]


def test_search_finds_codes_names_and_categories(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record(
            [
                item("A1", name="红富士苹果", category="生鲜/水果"),
                item("A10", name="100% juice", category="drinks"),
                item("B_1", name="soap", gtin="96385074"),
            ]
        )

        def found(text: str) -> list[str]:
            skus: list[str] = shop.catalog.search(text).column("sku").to_pylist()
            return skus

        assert found("a1") == ["A1", "A10"]
        assert found("苹果") == found("水果") == ["A1"]
        assert found("100%") == found("%") == ["A10"]
        assert found("_") == found("96385074") == ["B_1"]
        assert found("nothing like it") == []
        assert shop.catalog.search("A", limit=1).num_rows == 1


def test_variants_and_the_tree(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record(
            [
                item("STYLE", category="wear/shirts"),
                item("RED", category="wear/shirts", variant_of="STYLE"),
                item("BLUE", category="wear/shirts", variant_of="STYLE"),
                item("SOCK", category="wear"),
            ]
        )
        for sku in ("STYLE", "RED"):
            assert [one.sku for one in shop.catalog.variants(sku)] == ["BLUE", "RED", "STYLE"]
        assert [one.sku for one in shop.catalog.variants("SOCK")] == ["SOCK"]
        assert [(c.path, c.skus, c.skus_below) for c in shop.catalog.categories()] == [
            ("wear", 1, 4),
            ("wear/shirts", 3, 3),
        ]


def test_items_can_be_chosen(database: Database) -> None:
    with database.transaction(actor="tester") as tx:
        shop = Shop.of(tx)
        shop.record([item("B"), item("A"), item("C")])
        assert shop.catalog.items().column("sku").to_pylist() == ["A", "B", "C"]
        assert shop.catalog.items(["C", "X"]).column("sku").to_pylist() == ["C"]
        assert shop.catalog.items([]).num_rows == 0


stories = st.lists(
    st.tuples(st.sampled_from("AB"), st.integers(0, 3), st.integers(0, 2)), min_size=1, unique=True
).map(lambda names: [item(s, hour=h, revision=r, case=5 + r + 3 * h) for s, h, r in names])


@settings(
    deadline=timedelta(seconds=20),
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(stories, st.data())
def test_any_order_of_facts_ends_alike(
    database: Database, story: list[Fact], data: st.DataObject
) -> None:
    other = data.draw(st.permutations(story))
    with database.transaction(actor="tester") as tx:
        with rolled_back(tx) as shop:
            shop.record(story)
            expected = shop.catalog.items()
        with rolled_back(tx) as shop:
            batches = [shop.record([each]) for each in other]
            assert shop.catalog.items() == expected
            for batch in batches:
                shop.undo(batch)
            assert shop.catalog.items().num_rows == 0
