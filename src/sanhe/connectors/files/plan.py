"""Planning an import: read, map and check a file, and show what it would record."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

import pyarrow as pa

from sanhe.connectors.files.check import Checks, FactQuery, Known
from sanhe.connectors.files.duck import Session, Terms
from sanhe.connectors.files.mapping import FactRule, Mapping, ReadOptions, shipped
from sanhe.connectors.files.match import choose
from sanhe.connectors.files.read import Progress, Source, digest, read
from sanhe.connectors.files.rejects import Reject, rejects_name, write_rejects
from sanhe.core.errors import BadInput
from sanhe.core.facts import FACT_SCHEMA

CHUNK_ROWS: Final = 250_000
SMALL_BYTES: Final = 4 << 20
"""Files up to this size are read into memory, larger ones into a database on disk."""


@dataclass(frozen=True, slots=True)
class TypeSummary:
    """What an import holds of one fact type. Quantity in base units, amount in minor units.

    `repeated` rows say again what another row said and count once; `summed` rows were added to
    another row of their key.
    `currency` is that of the amounts; None = there are none, or of several currencies.
    """

    type: str
    facts: int
    repeated: int
    summed: int
    first_day: date | None
    last_day: date | None
    skus: int
    places: int
    quantity: int | None
    amount_cents: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class RejectReason:
    """One reason for rejects with its number of rows and its first place."""

    column: str
    reason: str
    remedy: str
    rows: int
    first_row: int
    first_value: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What was found in a file. `columns` pairs each field with its header."""

    rows: int
    rejected_rows: int
    types: tuple[TypeSummary, ...]
    reasons: tuple[RejectReason, ...]
    columns: tuple[tuple[str, str], ...]
    unread_columns: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def reject_share(self) -> float:
        """Rejected rows over all rows."""
        return self.rejected_rows / max(self.rows, 1)


class ImportPlan:
    """A file that was read and checked; nothing is recorded yet. Close it, or use it in `with`.

    `mapping` is what was used, with the headers and reading options found: `mapping.to_toml()`
    is the file that `--save-mapping` keeps.
    """

    def __init__(
        self,
        path: Path,
        session: Session,
        *,
        mapping: Mapping,
        source_file: Source,
        unread: tuple[str, ...],
        file_digest: str,
        queries: Sequence[FactQuery],
    ) -> None:
        self.path = path
        self.mapping = mapping
        self.source = mapping.source
        self.digest = file_digest
        self._session = session
        self._file = source_file
        self._unread = unread
        self._queries = tuple(queries)
        self._types: tuple[TypeSummary, ...] | None = None

    def __enter__(self) -> ImportPlan:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop what was read."""
        self._session.close()

    @property
    def summary(self) -> Summary:
        """Counts by fact type, rejects by reason, columns, notes."""
        if self._types is None:
            self._types = tuple(self._type_summaries())
        return Summary(
            rows=self._file.rows,
            rejected_rows=self._session.rejected_rows(),
            types=self._types,
            reasons=tuple(RejectReason(*row) for row in self._session.reject_reasons()),
            columns=tuple(self.mapping.headers.items()),
            unread_columns=self._unread,
            notes=(*self._file.notes, *(f"assumed: {text}" for text in self.mapping.assumes)),
        )

    def _type_summaries(self) -> Iterator[TypeSummary]:
        for query in self._queries:
            facts, first, last, skus, places, quantity, amount, currency = (
                self._session.summary_row(query.facts)
            )
            if facts:
                added = query.rule.sums
                yield TypeSummary(
                    query.rule.type,
                    facts,
                    query.repeated,
                    self._session.count_of(query.each) - facts if added else 0,
                    first_day=first,
                    last_day=last,
                    skus=skus,
                    places=places,
                    quantity=quantity,
                    amount_cents=amount,
                    currency=currency,
                )

    def tables(self, rows: int = CHUNK_ROWS) -> Iterator[pa.Table]:
        """The facts of all usable rows in `FACT_SCHEMA`, at most `rows` at a time."""
        for query in self._queries:
            for batch in self._session.stream(query.facts, rows):
                yield self._in_schema(query.rule, pa.Table.from_batches([batch]))

    def samples(self, rows: int = 5) -> dict[str, pa.Table]:
        """The first facts of each type in `FACT_SCHEMA`."""
        found: dict[str, pa.Table] = {}
        for query in self._queries:
            table = self._in_schema(query.rule, self._session.sample(query.facts, rows))
            if table.num_rows:
                found.setdefault(query.rule.type, table)
        return found

    def _in_schema(self, rule: FactRule, facts: pa.Table) -> pa.Table:
        size = facts.num_rows
        columns = {
            "type": pa.repeat(pa.scalar(rule.type), size),
            "source": pa.repeat(pa.scalar(self.source), size),
        }
        for name in FACT_SCHEMA.names:
            if name not in columns:
                columns[name] = facts.column(name).cast(FACT_SCHEMA.field(name).type)
        return pa.table([columns[name] for name in FACT_SCHEMA.names], schema=FACT_SCHEMA)

    def rejects(self, limit: int | None = None) -> Iterator[Reject]:
        """Refused cells in the order of the file."""
        for row, column, value, reason, remedy, *cells in self._session.rejects(limit):
            shown = tuple("" if cell is None else str(cell) for cell in cells)
            yield Reject(self.path.name, row, column, value, reason=reason, remedy=remedy,
                         cells=shown)  # fmt: skip

    def write_rejects(self, folder: Path) -> Path | None:
        """Write the rejects file into a folder; its name repeats with the file. None = no rejects.

        The name is the file's name, the start of its digest, and `.rejects.csv`.
        """
        if self._session.rejected_rows() == 0:
            return None
        path = folder / rejects_name(self.path.name, self.digest)
        write_rejects(path, self._file.headers, self.rejects())
        return path

    def require_usable(self, max_reject_share: float = 0.0) -> None:
        """Raise BadInput when more rows are rejected than allowed, naming the first of them."""
        rejected = self._session.rejected_rows()
        if rejected <= max_reject_share * self._file.rows:
            return
        first = next(iter(self.rejects(1)))
        more = f"; {rejected:,} of {self._file.rows:,} rows can't be used" if rejected > 1 else ""
        value = f" {first.value!r}" if first.value else ""
        raise BadInput(f"{first.reason}{value}{more}", place=first.place, remedy=first.remedy)

    def refuse_contradicting(self, keys: Sequence[tuple[str, str, int]]) -> None:
        """Turn what `Facts.append` reports as contradicting into rejects with a remedy."""
        if not keys:
            return
        columns = [[key[1] for key in keys], [key[2] for key in keys]]
        table = pa.table(
            [pa.array(columns[0], pa.string()), pa.array(columns[1], pa.int32())],
            names=["external_id", "revision"],
        )
        highest = max(key[2] for key in keys)
        self._types = None
        for query in self._queries:
            self._session.refuse_keys(
                query.each,
                table,
                reason="recorded before with other content",
                remedy=f"import it as a correction with --revision {highest + 1}",
            )


def plan_import(
    path: Path,
    *,
    as_of: date,
    mapping: Mapping | Sequence[Mapping] | None = None,
    known: Known | None = None,
    currency: str = "CNY",
    time_zone: str = "Asia/Shanghai",
    source: str | None = None,
    revision: int = 0,
    options: ReadOptions | None = None,
    create_missing: bool = False,
    progress: Progress | None = None,
) -> ImportPlan:
    """Read, map and check a file. Nothing outside the returned plan changes.

    `mapping`: one, or several of which the one that fits is taken; None = all shipped ones.
    `as_of` is the last day that may have happened. `create_missing` describes unknown SKUs,
    places and suppliers by their code alone. Raises NotFound for no such file, BadInput for one
    that can't be read at all; single rows that can't be used become the plan's rejects.
    """
    known = known or Known()
    file_digest = digest(path)
    candidates = (mapping,) if isinstance(mapping, Mapping) else tuple(mapping or shipped())
    asked = options or ReadOptions()
    shared = candidates[0].read if len(candidates) == 1 else ReadOptions()
    session = Session(on_disk=path.stat().st_size > SMALL_BYTES)
    try:
        source_file = read(path, session, options=asked.over(shared), progress=progress)
        match = choose(candidates, source_file.headers, path.name)
        used = source_file.options.over(match.mapping.read)
        used = used.over(ReadOptions(time_zone=time_zone, currency=currency))
        chosen = replace(
            match.mapping,
            source=source or match.mapping.source,
            headers=match.headers,
            read=replace(used, time_zone=asked.time_zone, currency=asked.currency),
        )
        terms = Terms(
            chosen.source, revision, used.currency or currency, used.time_zone or time_zone
        )
        checks = Checks(
            session, mapping=chosen, source_file=source_file, known=known, used=used, terms=terms
        )
        queries = checks.run(
            as_of=as_of, create_missing=create_missing, progress=progress or _silent
        )
    except BaseException:
        session.close()
        raise
    return ImportPlan(
        path,
        session,
        mapping=chosen,
        source_file=source_file,
        unread=match.unread,
        file_digest=file_digest,
        queries=queries,
    )


def _silent(_stage: str, _share: float) -> None:
    return None
