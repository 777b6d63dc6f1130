"""The registry of fact types and its checks."""

from __future__ import annotations

import pyarrow as pa
import pytest

from sanhe.core.errors import BadInput
from sanhe.core.facts import Fact, FactField, FactType, FactTypes, facts_table
from sanhe.core.facts.types import canonical_payload
from tests.core.facts.samples import TYPES, sale


@pytest.mark.parametrize(
    ("fact", "message"),
    [
        (sale(type="sale.month"), "unknown fact type 'sale.month'.*item.described, sale.day"),
        (sale(sku=""), "sku is missing"),
        (sale(place=None), "place is missing"),
        (sale(quantity=None), "quantity is missing"),  # type: ignore[arg-type]
        (sale(external_id=""), "external_id is empty"),
        (sale(source=""), "source is empty"),
        (sale(sku="A\0"), "sku holds a NUL"),
        (sale(revision=-1), "revision is negative"),
        (sale(payload={"weather": 1}), "unknown payload field 'weather'.*known are in_stock"),
        (sale(payload={"in_stock_share": "much"}), "in_stock_share is 'much'.*give a number"),
        (sale(payload={"opened_empty": 1}), "opened_empty is 1.*true or false"),
        (sale(type="item.described"), "payload field name is missing.*its name"),
        (
            sale(type="item.described", payload={"name": "Tea", "since": "3 June"}),
            "since is '3 June'.*a date",
        ),
        (
            sale(type="item.described", payload={"name": "Tea", "pack": 1.5}),
            "pack is 1.5.*a whole number",
        ),
        (sale(type="item.described", payload={"name": "a\0b"}), "name is"),
    ],
)
def test_what_does_not_fit_is_refused_by_row(fact: Fact, message: str) -> None:
    with pytest.raises(BadInput, match=f"fact 1 .*{message}"):
        TYPES.checked(facts_table([sale(), fact]))


def test_strange_days_and_times_are_refused() -> None:
    table = facts_table([sale()])
    day = table.schema.get_field_index("day")
    early = table.set_column(day, "day", pa.array([0], pa.int32()).cast(pa.date32()))
    assert TYPES.checked(early).num_rows == 1
    with pytest.raises(BadInput, match="between 1900 and 2200"):
        TYPES.checked(table.set_column(day, "day", pa.array([10**6], pa.int32()).cast(pa.date32())))
    at = table.schema.get_field_index("event_at")
    naive = table["event_at"].cast(pa.timestamp("us"))
    with pytest.raises(BadInput, match="no time zone"):
        TYPES.checked(table.set_column(at, "event_at", naive))
    with pytest.raises(BadInput, match="no time zone"):
        facts_table([sale(event_at=sale().event_at.replace(tzinfo=None))])


def test_columns_that_do_not_fit_are_named() -> None:
    table = facts_table([sale()])
    with pytest.raises(BadInput, match=r"unknown fact columns.*colour"):
        TYPES.checked(table.append_column("colour", pa.array(["red"])))
    with pytest.raises(BadInput, match="the column day is missing"):
        TYPES.checked(table.drop(["day"]))
    position = table.schema.get_field_index("quantity")
    with pytest.raises(BadInput, match="the column quantity does not fit"):
        TYPES.checked(table.set_column(position, "quantity", pa.array([1.5])))


def test_payloads_become_canonical() -> None:
    type_ = TYPES["sale.day"]
    text = canonical_payload(type_, '{"opened_empty": null, "in_stock_share": 1}')
    assert text == '{"in_stock_share":1.0}'
    assert canonical_payload(type_, text) == text
    for wrong in ("[]", "{", '{"in_stock_share":1e999}'):
        with pytest.raises(BadInput):
            canonical_payload(type_, wrong)


def test_the_payload_named_in_an_error_is_the_one_of_its_row() -> None:
    rows = [sale("a", payload={"in_stock_share": 0.5}), sale("b"), sale("c", payload={"x": 1})]
    with pytest.raises(BadInput, match=r"fact 2 .*'c'"):
        TYPES.checked(facts_table(rows))


def test_a_registry_refuses_doubles_and_unknown_kinds() -> None:
    one = FactType("a.b", "goods", "x")
    with pytest.raises(ValueError, match="twice"):
        FactTypes([one, one])
    with pytest.raises(ValueError, match="'money'"):
        FactTypes([FactType("a.b", "goods", "x", payload={"f": FactField("money", "m")})])
    with pytest.raises(ValueError, match="'colour'"):
        FactTypes([FactType("a.b", "goods", "x", needs=("colour",))])
