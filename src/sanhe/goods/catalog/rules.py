"""The catalogue's rules: check digits, base units, the category tree, findings of quality."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sanhe.core.errors import BadInput

GTIN_LENGTHS = (8, 12, 13, 14)

_UNIT = re.compile(r"^\s*(?:(?P<size>[0-9]+(?:\.[0-9]+)?)\s*)?(?P<name>[A-Za-z一-鿿]+)\s*$")

# What a written unit is in the smallest one of its kind.
_MEASURES: dict[str, tuple[str, Decimal]] = {
    "each": ("each", Decimal(1)),
    "ea": ("each", Decimal(1)),
    "pc": ("each", Decimal(1)),
    "pcs": ("each", Decimal(1)),
    "件": ("each", Decimal(1)),
    "个": ("each", Decimal(1)),
    "mg": ("mg", Decimal(1)),
    "g": ("mg", Decimal(1_000)),
    "克": ("mg", Decimal(1_000)),
    "kg": ("mg", Decimal(1_000_000)),
    "公斤": ("mg", Decimal(1_000_000)),
    "斤": ("mg", Decimal(500_000)),
    "ml": ("ml", Decimal(1)),
    "毫升": ("ml", Decimal(1)),
    "l": ("ml", Decimal(1_000)),
    "升": ("ml", Decimal(1_000)),
    "mm": ("mm", Decimal(1)),
    "cm": ("mm", Decimal(10)),
    "m": ("mm", Decimal(1_000)),
    "米": ("mm", Decimal(1_000)),
}


def gtin_check_digit(body: str) -> int:
    """The check digit (校验码) that belongs behind `body`, the digits of a GTIN without it.

    GS1 General Specifications 7.9: from the right, weigh the digits 3, 1, 3, 1 …, add up; the
    check digit is what lacks to the next multiple of ten.

    >>> gtin_check_digit("629104150021")
    3
    """
    if not (body.isascii() and body.isdigit()):
        raise BadInput(f"{body!r} is not made of digits", remedy="give the digits of the GTIN")
    weighted = sum(
        int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body))
    )
    return -weighted % 10


def gtin_is_valid(gtin: str) -> bool:
    """Whether it is a GTIN-8, -12, -13 or -14 with the right check digit."""
    return gtin_fault(gtin) is None


def gtin_fault(gtin: str) -> str | None:
    """What is wrong with a GTIN: `letters`, `length`, `check_digit`; None when it is right."""
    if not (gtin.isascii() and gtin.isdigit()):
        return "letters"
    if len(gtin) not in GTIN_LENGTHS:
        return "length"
    if gtin_check_digit(gtin[:-1]) != int(gtin[-1]):
        return "check_digit"
    return None


def gtin_14(gtin: str) -> str:
    """The GTIN as 14 digits, so that the same number in two spellings compares as equal."""
    return gtin.zfill(14)


@dataclass(frozen=True, slots=True)
class BaseUnit:
    """The unit in which an SKU's quantities are whole numbers (基本单位).

    `text` as given, e.g. "each", "g", "0.01 each"; `measure` is the smallest unit of its kind;
    `size` is one base unit in it.
    """

    text: str
    measure: str
    size: Decimal

    @classmethod
    def parse(cls, text: str) -> BaseUnit:
        """Read a base unit; raises BadInput. An unknown word is a unit of its own kind."""
        found = _UNIT.match(text)
        if found is None:
            raise BadInput(
                f"{text!r} is no base unit", remedy='give e.g. "each", "g" or "0.01 each"'
            )
        name = found["name"].lower()
        measure, factor = _MEASURES.get(name, (name, Decimal(1)))
        size = Decimal(found["size"] or 1) * factor
        if size == 0:
            raise BadInput(f"{text!r} has no size", remedy="give a size above zero")
        return cls(text, measure, size)

    def quantity(self, amount: Decimal | int | str, unit: str) -> int:
        """The whole number of base units in `amount` of `unit`.

        Raises BadInput when the kinds differ (grams of a piece good) or a fraction remains.

        >>> BaseUnit.parse("g").quantity("1.25", "kg")
        1250
        """
        try:
            given = Decimal(amount)
        except InvalidOperation as error:
            raise BadInput(f"{amount!r} is no number", remedy="give e.g. 12 or 1.25") from error
        other = BaseUnit.parse(unit)
        if other.measure != self.measure:
            raise BadInput(
                f"{unit!r} can't be turned into {self.text!r}",
                remedy="correct the unit, or the SKU's base unit",
            )
        exact = given * other.size / self.size
        if exact != exact.to_integral_value():
            raise BadInput(
                f"{amount} {unit} is no whole number of {self.text!r}",
                remedy="describe the SKU in a smaller base unit",
            )
        return int(exact)


@dataclass(frozen=True, slots=True)
class Category:
    """A node of the category tree: `path` from the root, its own and its whole count of SKUs."""

    path: str
    name: str
    parent: str | None
    depth: int
    skus: int
    skus_below: int


def components(text: str | None) -> tuple[tuple[str, int], ...]:
    """The components of a bundle (组合装): SKU and base units for one of it; () for no bundle.

    Raises BadInput for a text that can't be read, or an SKU named twice.

    >>> components("TEA-1:2 CUP:1")
    (('TEA-1', 2), ('CUP', 1))
    """
    found: dict[str, int] = {}
    for part in (text or "").split():
        sku, _, units = part.rpartition(":")
        if not sku or not units.isdecimal() or int(units) < 1 or sku in found:
            raise BadInput(
                f"{part!r} is no component", remedy="give each SKU once, e.g. SKU-1:2 SKU-7:1"
            )
        found[sku] = int(units)
    return tuple(found.items())


def category_path(text: str | None) -> tuple[str, ...]:
    """The steps of a category path "a/b/c", trimmed, empty steps left out."""
    return tuple(step.strip() for step in (text or "").split("/") if step.strip())


def category_tree(paths: Iterable[str | None]) -> list[Category]:
    """The tree (类目树) that the SKUs' paths span, sorted by path; one path per SKU.

    SKUs without a category are counted nowhere: they are a finding.
    """
    own: Counter[tuple[str, ...]] = Counter()
    below: Counter[tuple[str, ...]] = Counter()
    for text in paths:
        steps = category_path(text)
        if not steps:
            continue
        own[steps] += 1
        for depth in range(1, len(steps) + 1):
            below[steps[:depth]] += 1
    return [
        Category(
            path="/".join(steps),
            name=steps[-1],
            parent="/".join(steps[:-1]) or None,
            depth=len(steps),
            skus=own[steps],
            skus_below=below[steps],
        )
        for steps in sorted(below)
    ]


@dataclass(frozen=True, slots=True)
class ItemTerms:
    """What the quality rules look at in one SKU's description."""

    sku: str
    gtin: str | None
    category: str | None
    base_unit: str | None
    pack: int | None
    case_size: int | None
    shelf_life_days: int | None
    variant_of: str | None


@dataclass(frozen=True, slots=True)
class Finding:
    """Something odd in an SKU's description: kept as given, listed until it is mended."""

    sku: str
    field: str
    value: str
    finding: str
    remedy: str


_GTIN_FINDINGS = {
    "letters": ("GTIN holds something other than digits", "give the digits only"),
    "length": ("GTIN has none of the lengths 8, 12, 13, 14", "look for a lost leading zero"),
    "check_digit": ("GTIN has a wrong check digit", "compare with the code on the pack"),
}


def quality_findings(items: Sequence[ItemTerms]) -> list[Finding]:
    """All findings in these descriptions, sorted by SKU and field.

    Wrong or shared GTIN, no category, unreadable base unit, sizes below one, a case that is not
    a multiple of the pack, a variant of an SKU that is not described.
    """
    described = {item.sku for item in items}
    holders = Counter(gtin_14(item.gtin) for item in items if item.gtin)
    found: list[Finding] = []
    for item in items:
        found += _code_findings(item, holders)
        found += _size_findings(item)
        if not category_path(item.category):
            found.append(
                Finding(item.sku, "category", "", "no category", "give a path such as fresh/fruit")
            )
        if item.variant_of and item.variant_of not in described:
            found.append(
                Finding(
                    item.sku,
                    "variant_of",
                    item.variant_of,
                    "the SKU it is a variant of is not described",
                    "describe the parent SKU or correct variant_of",
                )
            )
    return sorted(found, key=lambda one: (one.sku, one.field, one.finding))


def _code_findings(item: ItemTerms, holders: Counter[str]) -> list[Finding]:
    if not item.gtin:
        return []
    fault = gtin_fault(item.gtin)
    if fault is not None:
        return [Finding(item.sku, "gtin", item.gtin, *_GTIN_FINDINGS[fault])]
    if holders[gtin_14(item.gtin)] > 1:
        return [
            Finding(
                item.sku,
                "gtin",
                item.gtin,
                "GTIN is shared with another SKU",
                "one trade item has one GTIN: correct or merge the SKUs",
            )
        ]
    return []


def _size_findings(item: ItemTerms) -> list[Finding]:
    found = [
        Finding(item.sku, name, str(value), f"{name} is below one", "give at least 1, or leave out")
        for name, value in (
            ("pack", item.pack),
            ("case", item.case_size),
            ("shelf_life_days", item.shelf_life_days),
        )
        if value is not None and value < 1
    ]
    if item.pack and item.case_size and item.pack > 0 and item.case_size % item.pack:
        found.append(
            Finding(
                item.sku,
                "case",
                str(item.case_size),
                f"the case is no multiple of the pack of {item.pack}",
                "correct pack or case",
            )
        )
    if item.base_unit is not None:
        try:
            BaseUnit.parse(item.base_unit)
        except BadInput as error:
            found.append(Finding(item.sku, "base_unit", item.base_unit, error.what, error.remedy))
    return found
