"""The examples that every till must price alike, from one file for all languages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sanhe.people.promotions import USUAL, Asked, Book, Promotion, Stacking, priced, read, write

VECTORS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "vectors" / "promotions.json").read_text()
)


@pytest.mark.parametrize("vector", VECTORS, ids=[one["name"] for one in VECTORS])
def test_a_basket_costs_what_the_example_says(vector: dict[str, Any]) -> None:
    promotions = [read(Promotion, one) for one in vector["promotions"]]
    stacking = read(Stacking, vector["stacking"]) if "stacking" in vector else USUAL
    asked, expected = read(Asked, vector["asked"]), vector["expected"]
    found = priced(asked, Book(promotions, stacking))
    assert [item.final_cents for item in found.items] == expected["final"]
    assert {one.promotion: one.cents for one in found.applied} == expected["applied"]
    refused = {
        "/".join(filter(None, (one.promotion, one.coupon))): [one.why.value, one.has, one.needs]
        for one in found.refused
    }
    assert refused == expected["refused"]
    presents = {one.promotion: [one.sku, one.units] for one in found.presents}
    assert presents == expected["presents"]
    assert found.postage_cents == expected["postage_cents"]
    for one in found.refused:
        assert str(one)


def test_what_is_written_is_read_alike() -> None:
    for vector in VECTORS:
        asked = read(Asked, vector["asked"])
        assert read(Asked, write(asked)) == asked
        for given in vector["promotions"]:
            promotion = read(Promotion, given)
            assert read(Promotion, json.loads(json.dumps(write(promotion)))) == promotion
    assert read(Stacking, write(USUAL)) == USUAL
