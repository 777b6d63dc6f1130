"""Check digits, base units, the category tree and the findings of quality."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.goods.catalog import rules
from sanhe.goods.catalog.rules import BaseUnit, ItemTerms


@pytest.mark.parametrize(
    "gtin",
    # GS1 General Specifications, examples of sections 2 and 7.9, and their GTIN-14 spelling.
    ["96385074", "614141000036", "4006381333931", "6291041500213", "10614141000415"],
)
def test_published_codes_are_valid(gtin: str) -> None:
    assert rules.gtin_is_valid(gtin)


@pytest.mark.parametrize(
    ("gtin", "fault"),
    [
        ("6291041500214", "check_digit"),
        ("629104150021", "check_digit"),
        ("62910415002", "length"),
        ("629104150021X", "letters"),
        ("６２９１０４１５００２１３", "letters"),
        ("", "letters"),
    ],
)
def test_faults_are_named(gtin: str, fault: str) -> None:
    assert rules.gtin_fault(gtin) == fault


@given(
    st.sampled_from(rules.GTIN_LENGTHS).flatmap(
        lambda n: st.text("0123456789", min_size=n - 1, max_size=n - 1)
    ),
    st.data(),
)
def test_one_wrong_digit_is_always_found(body: str, data: st.DataObject) -> None:
    gtin = body + str(rules.gtin_check_digit(body))
    assert rules.gtin_is_valid(gtin)
    place = data.draw(st.integers(0, len(gtin) - 1))
    other = data.draw(st.sampled_from([d for d in "0123456789" if d != gtin[place]]))
    assert not rules.gtin_is_valid(gtin[:place] + other + gtin[place + 1 :])


@given(st.text("0123456789", min_size=7, max_size=7))
def test_leading_zeros_keep_the_check_digit(body: str) -> None:
    assert rules.gtin_check_digit(body) == rules.gtin_check_digit(body.zfill(13))


@pytest.mark.parametrize(
    ("base", "amount", "unit", "quantity"),
    [
        ("g", "1.25", "kg", 1250),
        ("0.01 each", "0.37", "each", 37),
        ("g", "2", "斤", 1000),
        ("ml", "0.5", "l", 500),
        ("each", 12, "件", 12),
        ("bottle", 3, "bottle", 3),
    ],
)
def test_amounts_become_whole_base_units(
    base: str, amount: str | int, unit: str, quantity: int
) -> None:
    assert BaseUnit.parse(base).quantity(amount, unit) == quantity


@pytest.mark.parametrize(
    ("base", "amount", "unit"),
    [("each", "1.5", "each"), ("each", 1, "kg"), ("g", "much", "g"), ("bottle", 1, "box")],
)
def test_what_is_no_whole_number_is_refused(base: str, amount: str | int, unit: str) -> None:
    with pytest.raises(BadInput):
        BaseUnit.parse(base).quantity(amount, unit)


@pytest.mark.parametrize("text", ["", "0 each", "5", "each each", "-1 g"])
def test_what_is_no_base_unit_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        BaseUnit.parse(text)


@given(st.integers(0, 10**9), st.sampled_from(["g", "kg", "斤"]))
def test_conversion_is_exact_both_ways(quantity: int, unit: str) -> None:
    base = BaseUnit.parse("g")
    in_unit = Decimal(quantity) * base.size / BaseUnit.parse(unit).size
    assert base.quantity(in_unit, unit) == quantity


def test_the_tree_counts_skus_at_and_below_each_node() -> None:
    tree = rules.category_tree(["fresh/fruit", "fresh / fruit", "fresh", None, "dry//rice", ""])
    assert [(c.path, c.parent, c.depth, c.skus, c.skus_below) for c in tree] == [
        ("dry", None, 1, 0, 1),
        ("dry/rice", "dry", 2, 1, 1),
        ("fresh", None, 1, 1, 3),
        ("fresh/fruit", "fresh", 2, 2, 2),
    ]


@given(st.lists(st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map("/".join)))
def test_the_roots_hold_every_sku(paths: list[str]) -> None:
    tree = rules.category_tree(paths)
    assert sum(node.skus for node in tree) == len(paths)
    assert sum(node.skus_below for node in tree if node.parent is None) == len(paths)


def terms(sku: str, **changes: object) -> ItemTerms:
    plain: dict[str, object] = {
        "gtin": None,
        "category": "fresh",
        "base_unit": "each",
        "pack": None,
        "case_size": None,
        "shelf_life_days": None,
        "variant_of": None,
    }
    return ItemTerms(sku, **{**plain, **changes})  # type: ignore[arg-type]


def test_findings_name_sku_field_and_remedy() -> None:
    found = rules.quality_findings(
        [
            terms("ok", gtin="4006381333931", pack=6, case_size=24, shelf_life_days=3),
            terms("digit", gtin="4006381333932"),
            terms("twin-a", gtin="614141000036"),
            terms("twin-b", gtin="0614141000036"),
            terms("bare", category=" / "),
            terms("case", pack=5, case_size=12),
            terms("life", shelf_life_days=0),
            terms("unit", base_unit="?"),
            terms("orphan", variant_of="nobody"),
        ]
    )
    assert [(f.sku, f.field) for f in found] == [
        ("bare", "category"),
        ("case", "case"),
        ("digit", "gtin"),
        ("life", "shelf_life_days"),
        ("orphan", "variant_of"),
        ("twin-a", "gtin"),
        ("twin-b", "gtin"),
        ("unit", "base_unit"),
    ]
    assert all(f.finding and f.remedy for f in found)
