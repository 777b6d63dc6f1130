"""The lake port: columnar tables for analysis, replaced whole, read by scoped queries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from sanhe.core.values import Json

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds


@dataclass(frozen=True, slots=True)
class LakeTable:
    """One table in the manifest: its files, rows, and the facts sequence it reflects."""

    name: str
    files: tuple[str, ...]
    rows: int
    written_at: datetime
    details: Mapping[str, Json]


class Lake(Protocol):
    """Tables by name. Two implementations: Parquet files with a manifest, and in memory."""

    def tables(self) -> Mapping[str, LakeTable]:
        """What the manifest holds now."""
        ...

    def write(
        self, name: str, table: pa.Table, *, details: Mapping[str, Json] | None = None
    ) -> LakeTable:
        """Replace a table; readers see the old one until the manifest is switched."""
        ...

    def drop(self, name: str) -> None:
        """Remove a table. Raises NotFound."""
        ...

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A whole table. Raises NotFound."""
        ...

    def dataset(self, name: str) -> ds.Dataset:
        """A table to be scanned: only the columns and rows that are asked for. Raises NotFound."""
        ...

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Json] | None = None,
        *,
        tables: Sequence[str],
    ) -> pa.Table:
        """Run DuckDB SQL over the named tables only; `$name` marks a parameter."""
        ...
