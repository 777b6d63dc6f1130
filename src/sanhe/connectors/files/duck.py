"""The DuckDB session of one import: raw rows in, checked rows and facts out.

The database is a file in a folder of its own, so that a large file does not have to fit into
memory. Once the file is loaded, `lock` disables all access to the outside and freezes the
configuration: a mapping's expressions can read this one file and nothing else.
"""

# ruff: noqa: S608  (statements are built from expressions; values are quoted by `literal`)

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from sanhe.connectors.files.kinds import Parsed, literal
from sanhe.connectors.files.mapping import FactRule, RowRule
from sanhe.connectors.files.workspace import workspace
from sanhe.core.errors import BadInput

MEMORY_LIMIT: Final = "1GB"
FACT_COLUMNS: Final = (
    "event_at",
    "day",
    "sku",
    "place",
    "party",
    "quantity",
    "amount_cents",
    "currency",
    "payload",
)
_CONTENT: Final = ", ".join(FACT_COLUMNS)


@dataclass(frozen=True, slots=True)
class BoundField:
    """A field bound to a column of the file; `header` and `parsed` are None when it has none."""

    name: str
    sql_type: str
    required: bool
    header: str | None
    parsed: Parsed | None
    timestamp: bool


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for all facts of an import."""

    source: str
    revision: int
    currency: str
    time_zone: str


def quoted(name: str) -> str:
    """A SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


class Session:
    """One import's database. Close it, or use it in a `with`, so that its folder goes."""

    def __init__(self, *, on_disk: bool = True) -> None:
        with ExitStack() as opened:
            folder = opened.enter_context(workspace())
            self._con = duckdb.connect(
                str(folder / "import.duckdb") if on_disk else ":memory:",
                config={
                    "memory_limit": MEMORY_LIMIT,
                    "threads": 2,
                    "temp_directory": str(folder / "spill"),
                    "python_enable_replacements": False,
                },
            )
            opened.callback(self._con.close)
            self._con.execute("SET TimeZone = 'UTC'")
            self._con.execute(
                "CREATE TABLE reject (row_number BIGINT, header VARCHAR, value VARCHAR,"
                " reason VARCHAR, remedy VARCHAR)"
            )
            self._con.execute(
                "CREATE TABLE place_calendar (place VARCHAR, time_zone VARCHAR, cut_off VARCHAR)"
            )
            self._opened = opened.pop_all()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop the database and its folder."""
        self._opened.close()

    # -- loading

    def parquet_columns(self, path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names and DuckDB types of the columns that hold single values. Raises BadInput."""
        try:
            rows = self._con.execute(
                "SELECT column_name, column_type FROM "
                "(DESCRIBE SELECT * FROM read_parquet(?, binary_as_string=true))",
                [str(path)],
            ).fetchall()
        except duckdb.Error as error:
            raise _damaged(path, error) from error
        flat = [(name, kind) for name, kind in rows if not _nested(kind)]
        if not flat:
            raise BadInput(
                "no columns of single values", place=path.name, remedy="write flat columns"
            )
        return tuple(name for name, _ in flat), tuple(kind for _, kind in flat)

    def load_parquet(self, path: Path, headers: Sequence[str]) -> int:
        """Load the named columns; the first row is row 1. Returns the rows. Raises BadInput."""
        columns = ", ".join(f"{quoted(header)} AS c{i}" for i, header in enumerate(headers))
        try:
            self._con.execute(
                f"CREATE TABLE raw AS SELECT file_row_number + 1 AS row_number, {columns}"
                " FROM read_parquet(?, file_row_number=true, binary_as_string=true)",
                [str(path)],
            )
        except duckdb.Error as error:
            raise _damaged(path, error) from error
        return self._count("SELECT count(*) FROM raw")

    def create_raw(self, headers: Sequence[str]) -> None:
        """An empty raw table of text columns."""
        columns = ", ".join(f"c{i} VARCHAR" for i in range(len(headers)))
        self._con.execute(f"CREATE TABLE raw (row_number BIGINT, {columns})")

    def add_raw(self, numbers: Sequence[int], rows: Sequence[Sequence[str]]) -> None:
        """Add rows of text under their row numbers in the file."""
        if not rows:
            return
        columns = [pa.array(numbers, pa.int64())]
        columns += [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
        names = ["row_number", *(f"c{i}" for i in range(len(columns) - 1))]
        self._insert("raw", pa.table(columns, names=names))

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._con.register("incoming", rows)
        self._con.execute(f"INSERT INTO {table} SELECT * FROM incoming")
        self._con.unregister("incoming")

    def refuse_row(self, row: int, *, value: str, reason: str, remedy: str) -> None:
        """Reject a whole row."""
        self._con.execute(
            "INSERT INTO reject VALUES (?, '', ?, ?, ?)", [row, value, reason, remedy]
        )

    def add_codes(self, table: str, codes: Collection[str]) -> None:
        """A table of known codes: known_sku, known_place or known_supplier."""
        self._con.execute(f"CREATE TABLE {table} (code VARCHAR)")
        self._insert(table, pa.table({"code": pa.array(sorted(codes), pa.string())}))

    def add_calendars(self, rows: Sequence[tuple[str, str, str]]) -> None:
        """Time zone and cut-off ("HH:MM") of places."""
        if rows:
            columns = [pa.array(list(column), pa.string()) for column in zip(*rows, strict=True)]
            names = ["place", "time_zone", "cut_off"]
            self._insert("place_calendar", pa.table(columns, names=names))

    def lock(self) -> None:
        """From here on nothing outside can be read, written or configured."""
        self._con.execute("SET enable_external_access = false")
        self._con.execute("SET lock_configuration = true")

    # -- rows

    def check_fields(self, bound: Sequence[BoundField], column_of: dict[str, str]) -> None:
        """Reject cells that can't be read or are missing although required."""
        self._con.execute(
            "CREATE TABLE refused AS SELECT DISTINCT row_number FROM reject WHERE header = ''"
        )
        rows = "raw ANTI JOIN refused USING (row_number)"
        for one in bound:
            if one.header is None or one.parsed is None:
                continue
            parsed = one.parsed
            faults = _chosen([(c.condition, c.reason, c.remedy) for c in parsed.faults])
            limits = _chosen([(c.condition, c.reason, c.remedy) for c in parsed.limits])
            missing = (
                "{'reason': 'a missing value', 'remedy': 'fill it in, or remove the row'}"
                if one.required
                else "NULL"
            )
            column = column_of[one.header]
            found = (
                f"CASE WHEN {parsed.t} IS NULL THEN {missing}"
                f" WHEN {parsed.m} IS NULL THEN {faults} ELSE {limits} END"
            )
            texts = f"SELECT row_number, {column} AS cell, {parsed.text} AS {parsed.t} FROM {rows}"
            measured = f"SELECT *, {parsed.measure} AS {parsed.m} FROM ({texts})"
            self._con.execute(
                "INSERT INTO reject SELECT row_number, ?, CAST(cell AS VARCHAR), found.reason,"
                f" found.remedy FROM (SELECT row_number, cell, {found} AS found"
                f" FROM ({measured})) WHERE found IS NOT NULL",
                [one.header],
            )

    def parse_rows(self, bound: Sequence[BoundField]) -> None:
        """Make `file_row`: every row that is not rejected, its fields as their kinds."""
        texts, measures, values = ["row_number"], ["*"], ["row_number"]
        for one in bound:
            parsed, utc = one.parsed, "NULL"
            value = f"NULL::{one.sql_type}"
            if parsed is not None:
                texts.append(f"{parsed.text} AS {parsed.t}")
                measures.append(f"{parsed.measure} AS {parsed.m}")
                value, utc = parsed.value, parsed.utc or "NULL"
            values.append(f"{value} AS {quoted(one.name)}")
            if one.timestamp:
                values.append(f"({utc})::TIMESTAMPTZ AS {quoted(one.name + '__utc')}")
        inner = f"SELECT {', '.join(measures)} FROM (SELECT {', '.join(texts)} FROM raw)"
        self._con.execute(f"CREATE TABLE parsed AS SELECT {', '.join(values)} FROM ({inner})")
        self._con.execute(
            "CREATE VIEW file_row AS SELECT parsed.* FROM parsed ANTI JOIN reject USING"
            " (row_number)"
        )

    def check_row(self, rule: RowRule, header: str) -> None:
        """Reject rows where a condition between fields is false. Raises BadInput."""
        try:
            self._con.execute(
                f"INSERT INTO reject SELECT row_number, ?, CAST({quoted(rule.field)} AS VARCHAR),"
                f" ?, ? FROM file_row WHERE NOT coalesce(({rule.holds}), true)",
                [header, rule.reason, rule.remedy],
            )
        except duckdb.Error as error:
            raise BadInput(
                f"{rule.holds!r} can't be evaluated: {_first_line(error)}",
                place=f"mapping, [[checks]] of {rule.field}",
                remedy="write a condition over the mapping's fields",
            ) from error

    def check_known(self, field: str, header: str, *, table: str, what: str) -> None:
        """Reject rows whose code is not among the known ones."""
        name = quoted(field)
        self._con.execute(
            f"INSERT INTO reject SELECT row_number, ?, {name}, ?, ? FROM file_row"
            f" WHERE {name} IS NOT NULL AND {not_in_codes(field, table)}",
            [
                header,
                f"an unknown {what}",
                f"import the {what}'s description first, or allow new ones with --create-missing",
            ],
        )

    # -- facts

    def keep_rows(self, name: str, rows: str) -> str:
        """Keep the rows of a rule's own table expression under a name. Raises BadInput."""
        try:
            self._con.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM {rows}")
        except duckdb.Error as error:
            raise BadInput(
                f"`from` can't be evaluated: {_first_line(error)}",
                place=f"mapping, {name}",
                remedy="write a table expression over file_row that keeps row_number",
            ) from error
        return quoted(name)

    def expression_types(self, expressions: dict[str, str], rule: FactRule) -> dict[str, str]:
        """The DuckDB types of expressions over a rule's rows. Raises BadInput naming the rule."""
        types = {}
        for name, expression in expressions.items():
            statement = f"SELECT ({expression}) AS v FROM {rule.source_rows or 'file_row'} LIMIT 0"
            try:
                types[name] = str(self._con.sql(statement).types[0])
            except duckdb.Error as error:
                raise BadInput(
                    f"{expression!r} can't be evaluated: {_first_line(error)}",
                    place=f"mapping, {rule.type}, {name}",
                    remedy="use the mapping's field names and DuckDB's scalar functions",
                ) from error
        return types

    def check_days(self, facts: str, header: str, *, last: date, reason: str) -> None:
        """Reject rows whose fact lies after the last day it may have."""
        self._con.execute(
            "INSERT INTO reject SELECT DISTINCT row_number, ?, CAST(day AS VARCHAR), ?, ? FROM"
            f" ({facts}) WHERE day > ?",
            [
                header,
                reason,
                "correct the date, or name a later --today",
                last,
            ],
        )

    def check_keys(self, rule: FactRule, *, each: str, merged: str) -> int:
        """Reject rows of one key and different content; returns how many rows only repeat.

        `each` has one fact per row, `merged` one per different row (the same for plain rules).
        """
        self._reject_keyless(rule, each)
        self._con.execute(
            "CREATE OR REPLACE TEMP TABLE suspect AS SELECT hash(external_id, revision) AS key"
            f" FROM ({merged}) GROUP BY key HAVING count(*) > 1"
        )
        if self._count("SELECT count(*) FROM suspect") == 0:
            return 0
        self._con.execute(
            "CREATE OR REPLACE TEMP TABLE conflict AS SELECT external_id, revision,"
            " min(row_number) AS first, max(row_number) AS last FROM"
            f" (SELECT * FROM ({each}) WHERE hash(external_id, revision) IN"
            " (SELECT key FROM suspect)) GROUP BY external_id, revision"
            f" HAVING count(DISTINCT hash({_CONTENT})) > 1"
        )
        conflicts = self._count("SELECT count(*) FROM conflict")
        if conflicts and rule.source_rows is not None:
            first = self._row("SELECT external_id FROM conflict ORDER BY first LIMIT 1")[0]
            raise BadInput(
                f"{conflicts:,} keys with several contents, first {first}",
                place=f"mapping, {rule.type}",
                remedy="make external_id unique in its rows",
            )
        self._con.execute(
            "INSERT INTO reject SELECT f.row_number, '', f.external_id,"
            " concat('the same key as row ', CASE WHEN f.row_number = c.first THEN c.last"
            " ELSE c.first END, ' with other content'),"
            " 'keep one of the rows; sum them if they are parts of one day'"
            f" FROM ({each}) AS f JOIN conflict AS c ON f.external_id = c.external_id"
            " AND f.revision = c.revision"
        )
        return self._count(
            f"SELECT count(*) - count(DISTINCT (external_id, revision)) FROM ({merged})"
            " WHERE hash(external_id, revision) IN (SELECT key FROM suspect)"
        )

    def _reject_keyless(self, rule: FactRule, each: str) -> None:
        self._con.execute(
            "INSERT INTO reject SELECT row_number, '', '', ?, ? FROM"
            f" ({each}) WHERE external_id IS NULL OR day IS NULL",
            [
                f"no key or day for {rule.type}: a part of it is empty",
                "fill in what names the row: codes, date, order or receipt number",
            ],
        )

    def count_of(self, facts: str) -> int:
        """How many facts a query has."""
        return self._count(f"SELECT count(*) FROM ({facts})")

    def summary_row(self, facts: str) -> tuple[Any, ...]:
        """facts, first day, last day, SKUs, places, quantity, amount, currency of a query."""
        return self._row(
            "SELECT count(*), min(day), max(day), count(DISTINCT sku), count(DISTINCT place),"
            " CAST(sum(quantity) AS BIGINT), CAST(sum(amount_cents) AS BIGINT),"
            " CASE WHEN min(currency) = max(currency) THEN min(currency) END"
            f" FROM ({facts})"
        )

    def sample(self, facts: str, rows: int) -> pa.Table:
        """The first facts by row."""
        statement = f"SELECT * FROM ({facts}) ORDER BY row_number LIMIT {rows:d}"
        return self._con.sql(statement).to_arrow_table()

    def stream(self, facts: str, rows: int) -> Iterator[pa.RecordBatch]:
        """The facts in batches, without holding all of them."""
        cursor = self._con.cursor()
        try:
            yield from cursor.sql(facts).to_arrow_reader(rows)
        finally:
            cursor.close()

    def refuse_keys(self, facts: str, keys: pa.Table, *, reason: str, remedy: str) -> None:
        """Reject the rows behind (external_id, revision) keys."""
        self._con.register("keys", keys)
        self._con.execute(
            "INSERT INTO reject SELECT row_number, '', f.external_id, ?, ? FROM"
            f" ({facts}) AS f JOIN keys USING (external_id, revision)",
            [reason, remedy],
        )
        self._con.unregister("keys")

    # -- rejects

    def rejected_rows(self) -> int:
        """How many rows of the file are rejected."""
        return self._count("SELECT count(DISTINCT row_number) FROM reject")

    def reject_reasons(self) -> list[tuple[str, str, str, int, int, str]]:
        """(header, reason, remedy, rows, first row, its value), the most frequent first."""
        return [
            tuple(row)
            for row in self._con.execute(
                "SELECT header, regexp_replace(reason, 'row [0-9]+', 'another row'),"
                " any_value(remedy), count(*), min(row_number), arg_min(value, row_number)"
                " FROM reject GROUP BY ALL ORDER BY 4 DESC, 5, 1"
            ).fetchall()
        ]

    def rejects(self, limit: int | None = None) -> Iterator[tuple[Any, ...]]:
        """(row, header, value, reason, remedy, original cells...) in the order of the file."""
        cursor = self._con.cursor()
        tail = "" if limit is None else f" LIMIT {limit:d}"
        cursor.execute(
            "SELECT reject.row_number, header, coalesce(value, ''), reason, remedy,"
            " raw.* EXCLUDE (row_number) FROM reject JOIN raw USING (row_number)"
            f" ORDER BY row_number, header{tail}"
        )
        try:
            while rows := cursor.fetchmany(10_000):
                yield from rows
        finally:
            cursor.close()

    def _count(self, statement: str) -> int:
        return int(self._row(statement)[0])

    def _row(self, statement: str) -> tuple[Any, ...]:
        # All rows are fetched: a result that is not read to its end keeps the connection busy.
        (row,) = self._con.execute(statement).fetchall()
        return tuple(row)


def fact_query(
    rule: FactRule,
    terms: Terms,
    *,
    payload_types: dict[str, str],
    fields: Collection[str],
    merged: bool,
) -> str:
    """The query of a rule's facts: row_number, external_id, revision and FACT_COLUMNS.

    `merged` makes one fact of equal rows where the rule says `distinct`, and one of the rows of
    a key where it says `sums`.
    """
    source = rule.source_rows or "file_row"
    if merged and rule.distinct:
        used = ", ".join(quoted(name) for name in _used(rule, fields))
        columns = f", {used}" if used else ""
        source = f"(SELECT min(row_number) AS row_number{columns} FROM {source} GROUP BY ALL)"
    given = rule.columns
    amount = given.get("amount_cents", "NULL")
    currency = given.get("currency", literal(terms.currency))
    at = given.get("at")
    own_day = given.get("day", "NULL")
    revision = f"coalesce({given.get('revision', 'NULL')}, {terms.revision:d})"
    inner = (
        f"SELECT row_number, CAST({given['external_id']} AS VARCHAR) AS external_id,"
        f" CAST({revision} AS INTEGER) AS revision, CAST({own_day} AS DATE) AS own_day,"
        f" {_at(at)}, {_text(given.get('sku'))} AS sku, {_text(given.get('place'))} AS place,"
        f" {_text(given.get('party'))} AS party,"
        f" CAST({given.get('quantity', 'NULL')} AS BIGINT) AS quantity,"
        f" CAST({amount} AS BIGINT) AS amount_cents,"
        f" CASE WHEN ({amount}) IS NOT NULL THEN CAST({currency} AS VARCHAR) END AS currency,"
        f" {_payload(rule, payload_types)} AS payload FROM {source}"
    )
    if rule.where:
        inner += f" WHERE {rule.where}"
    zone = f"coalesce(calendar.time_zone, {literal(terms.time_zone)})"
    shift = "coalesce(CAST(calendar.cut_off AS INTERVAL), INTERVAL 0 SECOND)"
    moment = f"CAST({literal(rule.moment)} AS INTERVAL)"
    local = f"CASE WHEN at_utc IS NOT NULL THEN timezone({zone}, at_utc) ELSE at_local END"
    day = f"coalesce(own_day, CAST(({local}) - {shift} AS DATE))"
    event_at = (
        f"CASE WHEN at_utc IS NOT NULL THEN at_utc"
        f" ELSE timezone({zone}, coalesce(at_local, own_day + {shift} + {moment})) END"
    )
    outer = (
        f"SELECT row_number, external_id, revision, {event_at} AS event_at, {day} AS day,"
        " sku, fact.place, party, quantity, amount_cents, currency, payload"
        f" FROM ({inner}) AS fact LEFT JOIN place_calendar AS calendar"
        " ON calendar.place = fact.place"
    )
    if merged and rule.distinct:
        return merged_query(outer)
    return summed_query(outer) if merged and rule.sums else outer


def merged_query(facts: str) -> str:
    """The same facts, each once, under the first row that says so."""
    first = "SELECT min(row_number) AS row_number, * EXCLUDE (row_number)"
    return f"{first} FROM ({facts}) GROUP BY ALL"


def summed_query(facts: str) -> str:
    """The facts of a key as one: quantities and amounts added up, dated by the earliest.

    It depends neither on the order of the rows nor on how often they are read. The amount is
    null where a row has none, or where currencies differ.
    """
    same = "sku, place, party, payload"
    full = "count(amount_cents) = count(*) AND min(currency) = max(currency)"
    return (
        "SELECT min(row_number) AS row_number, external_id, revision,"
        " min(event_at) AS event_at, arg_min(day, event_at) AS day, sku, place, party,"
        " CAST(sum(quantity) AS BIGINT) AS quantity,"
        f" CASE WHEN {full} THEN CAST(sum(amount_cents) AS BIGINT) END AS amount_cents,"
        f" CASE WHEN {full} THEN min(currency) END AS currency, payload"
        f" FROM ({facts}) GROUP BY external_id, revision, {same}"
    )


def not_in_codes(field: str, table: str) -> str:
    """The condition that a field's code is not in a table of known codes."""
    return f"{quoted(field)} NOT IN (SELECT code FROM {table})"


def _at(at: str | None) -> str:
    if at is None:
        return "NULL::TIMESTAMP AS at_local, NULL::TIMESTAMPTZ AS at_utc"
    return f"{quoted(at)} AS at_local, {quoted(at + '__utc')} AS at_utc"


def _text(expression: str | None) -> str:
    return f"CAST({expression or 'NULL'} AS VARCHAR)"


def _used(rule: FactRule, fields: Collection[str]) -> list[str]:
    """The fields that a rule's expressions mention."""
    texts = [*rule.columns.values(), *rule.payload.values(), rule.where or ""]
    words = set(" ".join(texts).replace('"', " ").translate(_APART).split())
    utc = {f"{name}__utc" for name in words if f"{name}__utc" in fields}
    return sorted(words & set(fields) | utc)


_APART: Final = str.maketrans(dict.fromkeys("()[]{}|,'+-*/<>=:;.", " "))


def _payload(rule: FactRule, types: dict[str, str]) -> str:
    """The payload as canonical JSON text: keys sorted, no spaces, nothing for null."""
    parts = []
    for name in sorted(rule.payload):
        value = _json(rule.payload[name], types[name])
        parts.append(f"{literal(chr(34) + name + chr(34) + ':')} || {value}")
    if not parts:
        return "'{}'"
    return f"concat('{{', concat_ws(',', {', '.join(parts)}), '}}')"


def _json(expression: str, sql_type: str) -> str:
    if sql_type == "BOOLEAN" or sql_type in {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UBIGINT", "FLOAT", "DOUBLE"
    }:  # fmt: skip
        return f"CAST(({expression}) AS VARCHAR)"
    if sql_type.startswith("DECIMAL"):
        return f"CAST(CAST(({expression}) AS DOUBLE) AS VARCHAR)"
    return f"CAST(to_json(CAST(({expression}) AS VARCHAR)) AS VARCHAR)"


def _chosen(checks: list[tuple[str, str, str]]) -> str:
    """The first check that holds, as a struct; null when none does."""
    if not checks:
        return "NULL"
    cases = " ".join(
        f"WHEN {condition} THEN {{'reason': {reason}, 'remedy': {remedy}}}"
        for condition, reason, remedy in checks
    )
    return f"CASE {cases} END"


def _nested(kind: str) -> bool:
    return kind.endswith("]") or kind.startswith(("STRUCT", "MAP", "UNION"))


def _first_line(error: duckdb.Error) -> str:
    return str(error).splitlines()[0]


def _damaged(path: Path, error: duckdb.Error) -> BadInput:
    return BadInput(
        f"a damaged Parquet file: {_first_line(error)}",
        place=path.name,
        remedy="copy or export it again",
    )
