"""A few rows of a large table, found by their keys."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

from sanhe.core.lake.ports import Lake

if TYPE_CHECKING:
    import pyarrow as pa


def rows_of(lake: Lake, name: str, keys: Mapping[str, str]) -> pa.Table:
    """The rows of a table that have these values in these columns. Raises NotFound.

    Only the parts of the files that may hold them are read: where the rows lie sorted by their
    keys, that is a small part, and a third of the work that a query costs.
    """
    import pyarrow.dataset as ds

    wanted = reduce(and_, (ds.field(column) == value for column, value in keys.items()))
    return lake.dataset(name).to_table(filter=wanted)
