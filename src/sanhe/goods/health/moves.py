"""What moved between classes from one day to another, with the money and the reason in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pyarrow as pa

KEPT: Final = (
    *("sku", "place", "label", "pattern", "value", "adi", "price_cents", "margin_rate"),
    *("stock_value_cents", "days_since_sale", "age_days"),
)
"""The columns of the health table that are kept of a day."""

_SMALL: Final = ("value", "adi", "price_cents", "margin_rate")
_BY: Final = (
    *("from_label", "to_label", "lines", "stock_value_cents"),
    "value",
)


@dataclass(frozen=True, slots=True)
class Moves:
    """Moves between classes (等级迁移) from the classes kept of `from_day` to those of `to_day`.

    `matrix`: one row for each pair of labels that occurs, those that stayed included; columns
    from_label, to_label (null = the line was not there), lines, stock_value_cents (of `to_day`,
    of `from_day` where the line is gone), value. `lines`: those whose label changed, most money
    first; columns sku, place, from_label, to_label, stock_value_cents, value_before, value,
    reason.
    """

    from_day: date
    to_day: date
    matrix: pa.Table
    lines: pa.Table

    def of(self, label: str = "", *, place: str | None = None) -> Moves:
        """The moves that leave or reach the classes that begin so; the lines at one place only.

        The matrix knows no places.
        """
        import pyarrow.compute as pc

        lines = self.lines.filter(_concerns(self.lines, label))
        if place is not None:
            lines = lines.filter(pc.equal(lines.column("place"), place))
        return replace(self, matrix=self.matrix.filter(_concerns(self.matrix, label)), lines=lines)


def compact(table: pa.Table) -> pa.Table:
    """What is kept of a day's health table."""
    import pyarrow as pa

    kept = table.select(list(KEPT))
    for name in _SMALL:
        column = kept.column(name).cast(pa.float32())
        kept = kept.set_column(kept.column_names.index(name), name, column)
    return kept


def moves(was: pa.Table, now: pa.Table, *, days: tuple[date, date], depth: int) -> Moves:
    """Compare the classes of two days by the first `depth` letters of their labels."""
    import pyarrow.compute as pc

    both = _joined(was, now, depth)
    grouped = both.group_by(["from_label", "to_label"]).aggregate(
        [("sku", "count"), ("stock_value_cents", "sum"), ("value", "sum")]
    )
    order = [("from_label", "ascending"), ("to_label", "ascending")]
    matrix = grouped.rename_columns(list(_BY)).sort_by(order)
    same = pc.fill_null(pc.equal(both.column("from_label"), both.column("to_label")), False)
    moved = both.filter(pc.invert(same))
    moved = moved.append_column("reason", _reasons(moved, depth))
    names = ["sku", "place", "from_label", "to_label", "stock_value_cents", "value_before"]
    by_money = [("stock_value_cents", "descending"), ("sku", "ascending"), ("place", "ascending")]
    return Moves(*days, matrix, moved.sort_by(by_money).select([*names, "value", "reason"]))


def _joined(was: pa.Table, now: pa.Table, depth: int) -> pa.Table:
    """Both days side by side; of the earlier one the columns end in `_before`."""
    import pyarrow.compute as pc

    keys = ["sku", "place"]
    both = now.join(was, keys, join_type="full outer", right_suffix="_before")
    cut = {
        side: pc.utf8_slice_codeunits(both.column(name), 0, depth)
        for side, name in (("from_label", "label_before"), ("to_label", "label"))
    }
    for name, column in cut.items():
        both = both.append_column(name, column)
    held = pc.coalesce(both.column("stock_value_cents"), both.column("stock_value_cents_before"), 0)
    at = both.column_names.index("stock_value_cents")
    return both.set_column(at, "stock_value_cents", held)


def _reasons(moved: pa.Table, depth: int) -> pa.Array:
    """Why each line moved, letter by letter of its label: "value fell 40 %; …"."""
    import pyarrow.compute as pc

    told = [_came_or_went(moved)]
    for place, words in enumerate((_value_words, _pattern_words, _margin_words, _age_words)):
        if place >= depth:
            break
        changed = pc.not_equal(
            _letter(moved, "from_label", place), _letter(moved, "to_label", place)
        )
        told.append(pc.if_else(pc.fill_null(changed, False), words(moved), None))
    return pc.binary_join_element_wise(*told, "; ", null_handling="skip")


def _came_or_went(moved: pa.Table) -> Any:
    import pyarrow.compute as pc

    gone, fresh = (moved.column(name).is_null() for name in ("to_label", "from_label"))
    return pc.if_else(gone, "neither sold nor in stock any more", pc.if_else(fresh, "new", None))


def _value_words(moved: pa.Table) -> Any:
    """How the value of the window changed; a line may also move because the others did."""
    import pyarrow.compute as pc

    before, now = moved.column("value_before"), moved.column("value")
    change = pc.multiply(pc.subtract(pc.divide(now, _above_zero(before)), 1.0), 100.0)
    percent = _whole(pc.abs(change))
    fell, rose = pc.less(change, 0.0), pc.greater_equal(change, 0.0)
    better = pc.less(_letter(moved, "to_label", 0), _letter(moved, "from_label", 0))
    against = pc.or_(pc.and_(fell, better), pc.and_(rose, pc.invert(better)))
    words = pc.binary_join_element_wise(
        pc.if_else(fell, "value fell", "value rose"), percent, "%", " "
    )
    words = pc.if_else(against, pc.binary_join_element_wise(words, "the others more", ", "), words)
    began = pc.if_else(pc.greater(now, 0.0), "began to bring value", "brings no value")
    stopped = pc.binary_join_element_wise("brings no value any more", _unsold(moved), ", ")
    ended = pc.and_(pc.is_valid(change), pc.less_equal(now, 0.0))
    return pc.if_else(ended, stopped, pc.coalesce(words, began))


def _pattern_words(moved: pa.Table) -> Any:
    """What the demand has become."""
    import pyarrow.compute as pc

    every = pc.binary_join_element_wise(
        "became ", moved.column("pattern"), " (a sale every ", _tenths(moved.column("adi")),
        " days)", "",
    )  # fmt: skip
    return pc.coalesce(every, _unsold(moved))


def _margin_words(moved: pa.Table) -> Any:
    """How the margin changed, and whether the price or the cost did it."""
    import pyarrow.compute as pc

    rates = [moved.column(name) for name in ("margin_rate_before", "margin_rate")]
    was, now = (_whole(pc.multiply(rate, 100.0)) for rate in rates)
    prices = [moved.column(name) for name in ("price_cents_before", "price_cents")]
    cause = pc.if_else(
        pc.less(prices[1], prices[0]),
        "price cut",
        pc.if_else(pc.greater(prices[1], prices[0]), "price rise", "change of cost"),
    )
    changed = pc.binary_join_element_wise(
        "margin went from ", was, " % to ", now, " % after a ", cause, ""
    )
    loss = pc.binary_join_element_wise("price below cost after a ", cause, "")
    known = pc.if_else(
        pc.is_valid(rates[1]), "cost and price became known", "cost or price is not known any more"
    )
    words = pc.if_else(pc.less(rates[1], 0.0), loss, changed)
    return pc.coalesce(words, known)


def _age_words(moved: pa.Table) -> Any:
    """What happened to what lies there."""
    import pyarrow.compute as pc

    was, now = (_letter(moved, name, 3) for name in ("from_label", "to_label"))
    days = _whole(moved.column("age_days"))
    older = pc.binary_join_element_wise("stock is now ", days, " days old on average", "")
    words = pc.if_else(
        pc.equal(now, "4"), pc.binary_join_element_wise("dead", _unsold(moved), ": "), older
    )
    words = pc.if_else(
        pc.equal(was, "0"), pc.binary_join_element_wise("stock arrived", words, ", "), words
    )
    return pc.if_else(pc.equal(now, "0"), "nothing left in stock", words)


def _unsold(moved: pa.Table) -> Any:
    import pyarrow.compute as pc

    days = moved.column("days_since_sale").cast("string")
    return pc.coalesce(pc.binary_join_element_wise("no sale for ", days, " days", ""), "never sold")


def _concerns(table: pa.Table, label: str) -> Any:
    """Which rows of moves leave or reach classes that begin so."""
    import pyarrow.compute as pc

    starts = (
        pc.fill_null(pc.starts_with(table.column(name), label), False)
        for name in ("from_label", "to_label")
    )
    return pc.or_(*starts)


def _letter(moved: pa.Table, name: str, place: int) -> Any:
    import pyarrow.compute as pc

    return pc.utf8_slice_codeunits(moved.column(name), place, place + 1)


def _above_zero(values: Any) -> Any:
    import pyarrow.compute as pc

    return pc.if_else(pc.greater(values, 0.0), values, None)


def _whole(values: Any) -> Any:
    import pyarrow.compute as pc

    return pc.round(values).cast("int64", safe=False).cast("string")


def _tenths(values: Any) -> Any:
    import pyarrow.compute as pc

    return pc.round(values.cast("float64"), 1).cast("string")
