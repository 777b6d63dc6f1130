"""The lake as seen by who may see some places only: the guard that the database's policies are."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from sanhe.core.errors import Denied, NotFound
from sanhe.core.lake.duck import query_tables
from sanhe.core.lake.ports import Lake, LakeTable
from sanhe.core.scope import Scope

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

    from sanhe.core.values import Json

HARMLESS: Final = ("forecast_model/",)
"""Folders of tables that have no place and may be read by all who work for the retailer: trees
and averages over all series, no row of any place."""


def scoped(lake: Lake, scope: Scope, *, everywhere: Collection[str] = ()) -> Lake:
    """The lake with the rows of the scope's places alone, read only.

    A table with a column `place` yields the rows of these places; of the tables named in
    `everywhere` also those without a place, as they hold in all. A table without that column is
    refused (Denied) unless it is `HARMLESS`; so is every table to a supplier, as the lake holds
    nothing that is a supplier's own. Who sees everything gets the same tables, read only. Where
    it is asked often, keep a `ResidentLake` of the scoped one for each scope.
    """
    return _ScopedLake(lake, scope, frozenset(everywhere))


class _ScopedLake:
    """See `scoped`. Queries run over filtered scans: neither files nor other rows are in reach."""

    def __init__(self, lake: Lake, scope: Scope, everywhere: frozenset[str]) -> None:
        self._lake, self._scope, self._everywhere = lake, scope, everywhere
        self._readable: dict[tuple[str, tuple[str, ...]], bool] = {}

    def tables(self) -> Mapping[str, LakeTable]:
        """The tables that may be read."""
        have = self._lake.tables()
        # A table's columns are those of its files: each is looked into once.
        known = {
            (name, table.files): self._readable.get((name, table.files))
            for name, table in have.items()
        }
        self._readable = {
            key: self._may_read(key[0]) if told is None else told for key, told in known.items()
        }
        return {name: table for name, table in have.items() if self._readable[name, table.files]}

    def dataset(self, name: str) -> ds.Dataset:
        """A table's rows in scope. Raises NotFound, Denied."""
        import pyarrow as pa
        import pyarrow.dataset as ds

        whole = self._lake.dataset(name)
        places = self._scope.places
        if self._scope.suppliers is not None:
            raise Denied(f"the lake's table {name!r} is not for suppliers")
        if places is None or name.startswith(HARMLESS):
            return whole
        if "place" not in whole.schema.names:
            raise Denied(f"the lake's table {name!r} is not divided by place: it is for all places")
        # A null is neither in the places nor outside them: such a row is left out.
        seen = ds.field("place").isin(pa.array(sorted(places), pa.string()))
        if name in self._everywhere:
            seen = seen | ds.field("place").is_null()
        return whole.filter(seen)

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A table's rows in scope. Raises NotFound, Denied."""
        return self.dataset(name).to_table(columns=None if columns is None else list(columns))

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Json] | None = None,
        *,
        tables: Sequence[str],
    ) -> pa.Table:
        """Run DuckDB SQL over the rows in scope of the named tables. Raises NotFound, Denied."""
        if self._scope.is_everything:
            return self._lake.query(sql, parameters, tables=tables)
        named = {name: self.dataset(name) for name in tables}
        with tempfile.TemporaryDirectory(prefix="sanhe-query-") as spill:
            return query_tables(sql, parameters, tables=named, spill=Path(spill))

    def write(
        self, name: str, table: pa.Table, *, details: Mapping[str, Json] | None = None
    ) -> LakeTable:
        """Refused: it is read only."""
        self._refuse(name)

    def drop(self, name: str) -> None:
        """Refused: it is read only."""
        self._refuse(name)

    def _refuse(self, name: str) -> NoReturn:
        raise Denied(f"the lake's table {name!r} can't be changed through a scope")

    def _may_read(self, name: str) -> bool:
        try:
            self.dataset(name)
        except (Denied, NotFound):
            return False
        return True
