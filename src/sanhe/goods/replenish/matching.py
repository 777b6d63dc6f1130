"""Rows of a table matched to order lines: by SKU and place, or by SKU where no place is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt

from sanhe.models.inventory import Bools, Floats, Ints

if TYPE_CHECKING:
    import pyarrow as pa

Texts: TypeAlias = npt.NDArray[np.object_]
"""[N] of str, or None where there is none; equal texts share one object."""


class Matched:
    """One table matched to the lines: a row each, or none.

    `first` and `second` are the lines' SKUs and places, or what `on` names them in the table.
    A row without a second holds for every line of its first that has no row of its own. Of equal
    rows the one that comes first counts.
    """

    def __init__(
        self,
        table: pa.Table | None,
        first: Keys,
        second: Keys,
        *,
        on: tuple[str, str] = ("sku", "place"),
    ) -> None:
        firsts, seconds = encoded(first), encoded(second)
        self.table, self.rows = table, np.full(len(firsts), -1, np.int64)
        if table is None or table.num_rows == 0:
            return
        # Codes run from 0 by the lines' own values; one more second stands for "any".
        any_second = len(seconds.dictionary)
        row, column = _codes(table, on[0], firsts), _codes(table, on[1], seconds)
        width = any_second + 1
        own = np.where(column == -2, any_second, column)
        kept = np.flatnonzero((row >= 0) & (own >= 0))
        keys, at = np.unique(row[kept] * width + own[kept], return_index=True)
        lines = np.asarray(firsts.indices, np.int64) * width
        exact = _found(keys, lines + np.asarray(seconds.indices, np.int64))
        general = _found(keys, lines + any_second)
        found = np.where(exact >= 0, exact, general)
        if kept.size:
            self.rows = np.where(found >= 0, kept[at[np.maximum(found, 0)]], -1)

    @property
    def found(self) -> Bools:
        """Which lines have a row."""
        found: Bools = self.rows >= 0
        return found

    def column(self, name: str) -> pa.Array:
        """The column of each line; null without a row or value."""
        import pyarrow as pa

        if self.table is None or name not in self.table.column_names:
            return pa.nulls(len(self.rows))
        rows = pa.array(self.rows, mask=self.rows < 0)
        column = self.table.column(name).combine_chunks()
        return column.take(rows)

    def values(self, name: str) -> list[Any]:
        """The column of each line as a list; None without a row or value."""
        listed: list[Any] = self.column(name).to_pylist()
        return listed

    def texts(self, name: str) -> Texts:
        """The column as text; None without a row or value."""
        import pyarrow as pa

        column = self.column(name)
        return as_texts(column if pa.types.is_dictionary(column.type) else column.cast(pa.string()))

    def numbers(self, name: str) -> Floats:
        """The column as numbers; nan without a row or value."""
        import pyarrow as pa

        column = self.column(name).cast(pa.float64())
        numbers: Floats = column.fill_null(np.nan).to_numpy(zero_copy_only=False)
        return numbers


Keys: TypeAlias = "pa.Array | pa.ChunkedArray | Texts | Sequence[str]"
"""Texts to match by; a dictionary array is not encoded again."""


def encoded(values: Keys) -> pa.DictionaryArray:
    """Texts as codes into their distinct values."""
    import pyarrow as pa

    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if not isinstance(values, pa.Array):
        values = pa.array(values, pa.string())
    return values if isinstance(values, pa.DictionaryArray) else values.dictionary_encode()


def lines_of(skus: Keys, places: Keys, *, of: pa.Table) -> Ints:
    """The line of each row of a table by its SKU and place, -1 where it is of none."""
    import pyarrow as pa

    skus, places = encoded(skus), encoded(places)
    lines = pa.table({"sku": skus, "place": places})
    return Matched(lines, of.column("sku"), of.column("place")).rows


def as_texts(values: pa.Array | pa.ChunkedArray) -> Texts:
    """Texts as Python objects, one object for each distinct text."""
    codes = encoded(values)
    distinct = np.array([*codes.dictionary.to_pylist(), None], object)
    texts: Texts = distinct[np.asarray(codes.indices.fill_null(len(distinct) - 1), np.int64)]
    return texts


def by_distinct(values: Texts, of: Callable[[str], float]) -> Floats:
    """A number for each line by its text, worked out once for each distinct text."""
    import pyarrow as pa

    codes = encoded(pa.array(values, pa.string()))
    numbers = np.array([of(text) for text in codes.dictionary.to_pylist()], np.float64)
    result: Floats = numbers[np.asarray(codes.indices, np.int64)]
    return result


def by_priority(terms: pa.Table | None) -> pa.Table | None:
    """The supply terms with the preferred supplier first."""
    if terms is None or "priority" not in terms.column_names:
        return terms
    return terms.sort_by([("priority", "ascending"), ("supplier", "ascending")])


def whole(values: Floats, default: int) -> Ints:
    """Numbers as whole ones; `default` where there is none."""
    whole: Ints = np.rint(np.where(np.isnan(values), default, values)).astype(np.int64)
    return whole


def _codes(table: pa.Table, name: str, lines: pa.DictionaryArray) -> Ints:
    """The lines' code of each value of a column; -1 where no line has it, -2 where it is null."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in table.column_names:
        return np.full(table.num_rows, -2, np.int64)
    column = table.column(name).cast(pa.string()).combine_chunks()
    if len(lines.dictionary) == 0:
        codes = np.full(len(column), -1, np.int64)
    else:
        found = pc.index_in(column, value_set=lines.dictionary).fill_null(-1)
        codes = np.asarray(found, np.int64)
    return np.where(np.asarray(column.is_null()), -2, codes)


def _found(keys: Ints, wanted: Ints) -> Ints:
    """Where each wanted key stands among the sorted `keys`; -1 where it doesn't."""
    at = np.searchsorted(keys, wanted)
    inside = np.minimum(at, max(len(keys) - 1, 0))
    if len(keys) == 0:
        return np.full(len(wanted), -1, np.int64)
    return np.where(keys[inside] == wanted, inside, -1)
