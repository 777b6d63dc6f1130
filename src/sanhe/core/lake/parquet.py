"""The lake as Parquet files under a manifest that is switched in one step."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from sanhe.core.clock import Clock, SystemClock
from sanhe.core.errors import Conflict, NotFound, SanheError, Tampered
from sanhe.core.lake.duck import checked_name, query_files
from sanhe.core.lake.ports import LakeTable

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds
    import pyarrow.parquet as pq

    from sanhe.core.values import Json

_MANIFEST = "manifest.json"
_ROW_GROUP = 32_768
"""So many rows are the least that is read: small enough to find one line, scans are no slower."""

_GRACE_SECONDS = 3600
"""A file that no manifest names any more is kept this long for those who read the old one."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the lake holds: tables, and states that change together with them."""

    tables: Mapping[str, LakeTable] = field(default_factory=dict)
    states: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)


class ParquetLake:
    """Tables as zstd Parquet files in `folder`, named by their content.

    Readers take the manifest once and read the files it names. Writers write new files, then
    switch the manifest; a process killed in between leaves the lake as it was.
    """

    def __init__(self, folder: Path, *, clock: Clock | None = None) -> None:
        self.folder = folder
        self._clock = clock or SystemClock()

    def tables(self) -> Mapping[str, LakeTable]:
        """What the manifest holds now."""
        return self.manifest().tables

    def write(
        self, name: str, table: pa.Table, *, details: Mapping[str, Json] | None = None
    ) -> LakeTable:
        """Replace a table; readers see the old one until the manifest is switched."""
        with self.new_file(name, table.schema) as file:
            file.write(table)
        written = LakeTable(
            name, (file.path,), table.num_rows, self._clock.now(), dict(details or {})
        )
        self.switch({name: written})
        return written

    def drop(self, name: str) -> None:
        """Remove a table. Raises NotFound."""
        if name not in self.tables():
            raise NotFound(f"the lake holds no table {name!r}")
        self.switch({name: None})

    def read(self, name: str, columns: Sequence[str] | None = None) -> pa.Table:
        """A whole table. Raises NotFound."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        chosen = None if columns is None else list(columns)
        paths = self._paths(self.tables(), name)
        parts = [pq.ParquetFile(path).read(columns=chosen) for path in paths]
        return pa.concat_tables(parts) if len(parts) > 1 else parts[0]

    def dataset(self, name: str) -> ds.Dataset:
        """A table to be scanned: only the columns and rows that are asked for. Raises NotFound."""
        import pyarrow.dataset as ds

        paths = self._paths(self.tables(), name)
        return ds.dataset([str(path) for path in paths], format="parquet")

    def query(
        self,
        sql: str,
        parameters: Mapping[str, Json] | None = None,
        *,
        tables: Sequence[str],
    ) -> pa.Table:
        """Run DuckDB SQL over the named tables only."""
        have = self.tables()
        files = {name: self._paths(have, name) for name in tables}
        with tempfile.TemporaryDirectory(prefix="sanhe-query-") as spill:
            return query_files(sql, parameters, files=files, spill=Path(spill))

    def manifest(self) -> Manifest:
        """The present manifest. Raises Tampered when it can't be read."""
        path = self.folder / _MANIFEST
        try:
            found = orjson.loads(path.read_bytes())
        except FileNotFoundError:
            return Manifest()
        except orjson.JSONDecodeError as error:
            raise Tampered(f"{path} is damaged; restore a backup") from error
        tables = {name: _table_from_json(name, entry) for name, entry in found["tables"].items()}
        return Manifest(tables, found["states"])

    def switch(
        self,
        tables: Mapping[str, LakeTable | None],
        *,
        states: Mapping[str, Mapping[str, Json]] | None = None,
    ) -> None:
        """Put tables (None = remove) and states into the manifest in one step."""
        with self.exclusive("manifest"):
            now = self.manifest()
            merged = {name: t for name, t in {**now.tables, **tables}.items() if t is not None}
            content = {
                "tables": {name: _table_to_json(table) for name, table in sorted(merged.items())},
                "states": {**now.states, **(states or {})},
            }
            fresh = self.folder / f".{_MANIFEST}.new"
            with fresh.open("wb") as sink:
                sink.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))
                sink.flush()
                os.fsync(sink.fileno())
            fresh.replace(self.folder / _MANIFEST)
            _sync_folder(self.folder)
            self._collect({path for table in merged.values() for path in table.files})

    def verify(self) -> int:
        """Check that every file still has the content it is named by; returns the files checked.

        Raises Tampered naming the first that is missing or changed.
        """
        files = sorted({file for table in self.tables().values() for file in table.files})
        for file in files:
            path = self.folder / file
            if not path.exists():
                raise Tampered(f"the lake's file {path} is missing; restore a backup")
            if _content_name(path) != path.stem:
                raise Tampered(f"the lake's file {path} has changed; restore a backup")
        return len(files)

    @contextlib.contextmanager
    def exclusive(self, purpose: str, *, wait: bool = True) -> Iterator[None]:
        """Hold the lake's lock of this purpose against other processes and threads.

        Without `wait` it raises Conflict where another holds it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        handle = os.open(self.folder / f".{purpose}.lock", flags, 0o600)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise Conflict(f"another {purpose} run is at work; wait for its end") from error
            yield
        finally:
            os.close(handle)

    @contextlib.contextmanager
    def new_file(self, name: str, schema: pa.Schema) -> Iterator[NewFile]:
        """A new file for a table; it gets its name and is durable when the block ends well."""
        folder = self.folder / checked_name(name)
        folder.mkdir(parents=True, exist_ok=True)
        handle, text = tempfile.mkstemp(dir=folder, prefix=".new-", suffix=".parquet")
        os.close(handle)
        temporary = Path(text)
        file = NewFile(temporary, schema)
        try:
            yield file
            file.close()
            with temporary.open("rb") as content:
                os.fsync(content.fileno())
            file.path = f"{name}/{_content_name(temporary)}.parquet"
            temporary.replace(self.folder / file.path)
            _sync_folder(folder)
        finally:
            file.close()
            temporary.unlink(missing_ok=True)

    def _paths(self, have: Mapping[str, LakeTable], name: str) -> list[Path]:
        if name not in have:
            raise NotFound(f"the lake holds no table {name!r}")
        paths = [self.folder / file for file in have[name].files]
        missing = [path for path in paths if not path.exists()]
        if missing:
            raise SanheError(f"the lake's file {missing[0]} is gone; restore a backup")
        return paths

    def _collect(self, named: set[str]) -> None:
        """Delete files that no manifest names any more and that nobody can still be reading."""
        oldest = datetime.now().timestamp() - _GRACE_SECONDS
        for path in self.folder.rglob("*.parquet"):
            if path.relative_to(self.folder).as_posix() in named:
                continue
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


class NewFile:
    """A Parquet file being written, batch by batch. `path` is set when it is done."""

    def __init__(self, temporary: Path, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self.path = ""
        self.rows = 0
        self._writer: pq.ParquetWriter | None = pq.ParquetWriter(
            temporary, schema, compression="zstd"
        )

    def write(self, table: pa.Table) -> None:
        """Add rows."""
        assert self._writer is not None
        self._writer.write_table(table, row_group_size=_ROW_GROUP)
        self.rows += table.num_rows

    def close(self) -> None:
        """Finish the file; again does nothing."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None


def _content_name(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()[:32]


def _table_to_json(table: LakeTable) -> dict[str, Any]:
    return {
        "files": list(table.files),
        "rows": table.rows,
        "written_at": table.written_at.isoformat(),
        "details": table.details,
    }


def _table_from_json(name: str, entry: Mapping[str, Any]) -> LakeTable:
    return LakeTable(
        name,
        tuple(entry["files"]),
        entry["rows"],
        datetime.fromisoformat(entry["written_at"]),
        entry["details"],
    )


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
