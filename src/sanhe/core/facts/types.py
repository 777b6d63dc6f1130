"""The registry of published fact types, and the check of incoming facts against them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any, NoReturn

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from sanhe.core.errors import BadInput
from sanhe.core.facts.ports import FactField, FactType
from sanhe.core.facts.schema import FACT_SCHEMA, REQUIRED, payload_text

_NEEDABLE = frozenset({"sku", "place", "party", "quantity", "amount_cents"})
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2200, 1, 1)


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    return value


def _real(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError
    return float(value)


def _text(value: object) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise TypeError
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _date(value: object) -> str:
    return date.fromisoformat(_text(value)).isoformat()


_KINDS: Mapping[str, tuple[Callable[[object], object], str]] = {
    "int": (_whole, "a whole number"),
    "float": (_real, "a number"),
    "str": (_text, "a text"),
    "bool": (_truth, "true or false"),
    "date": (_date, "a date such as 2024-06-03"),
}


class FactTypes:
    """All published types by name. Raises ValueError for a type published twice or ill-made."""

    def __init__(self, types: Iterable[FactType]) -> None:
        self._types: dict[str, FactType] = {}
        for published in types:
            if published.name in self._types:
                raise ValueError(f"fact type {published.name} is published twice")
            wrong = set(published.needs) - _NEEDABLE
            wrong |= {f.kind for f in published.payload.values() if f.kind not in _KINDS}
            if wrong:
                raise ValueError(f"fact type {published.name}: unknown {sorted(wrong)}")
            self._types[published.name] = published

    def __iter__(self) -> Iterator[FactType]:
        return iter(self._types.values())

    def __getitem__(self, name: str) -> FactType:
        return self._types[name]

    @property
    def names(self) -> tuple[str, ...]:
        """All names, sorted."""
        return tuple(sorted(self._types))

    def checked(self, table: pa.Table) -> pa.Table:
        """The table in `FACT_SCHEMA` with canonical payloads.

        Columns may come in any order; those that may be empty may be missing. Raises BadInput,
        naming the row (from 0) and column, for an unknown type or column, a missing needed
        value, a payload that does not fit its type, or a day outside 1900 to 2200.
        """
        table = _in_schema(table)
        for name in REQUIRED:
            _refuse_where(table, pc.is_null(table[name]), f"{name} is missing")
        for field in FACT_SCHEMA:
            if pa.types.is_string(field.type):
                bad = pc.match_substring(table[field.name], "\0")
                _refuse_where(table, bad, f"{field.name} holds a NUL character")
        for name in ("source", "external_id"):
            _refuse_where(table, pc.equal(table[name], ""), f"{name} is empty")
        _refuse_where(table, pc.less(table["revision"], 0), "revision is negative")
        days = table["day"]
        strange = pc.or_(pc.less(days, _FIRST_DAY), pc.greater(days, _LAST_DAY))
        _refuse_where(table, strange, "day is not between 1900 and 2200")
        for name in pc.unique(table["type"]).to_pylist():
            self._check_needs(table, name)
        return self._with_canonical_payloads(table)

    def _check_needs(self, table: pa.Table, name: str) -> None:
        own = pc.equal(table["type"], name)
        if name not in self._types:
            known = ", ".join(self.names)
            _refuse_where(table, own, f"unknown fact type {name!r}", remedy=f"known are {known}")
        for column in self._types[name].needs:
            empty = pc.is_null(table[column])
            if pa.types.is_string(table.schema.field(column).type):
                empty = pc.or_kleene(empty, pc.equal(table[column], ""))
            _refuse_where(table, pc.and_(own, empty), f"{column} is missing")

    def _with_canonical_payloads(self, table: pa.Table) -> pa.Table:
        """Check and rewrite each distinct payload once: most facts share theirs with others."""
        if table.num_rows == 0:
            return table
        encoded = table["payload"].combine_chunks().dictionary_encode()
        types = table["type"].combine_chunks().dictionary_encode()
        names, payloads = types.dictionary.to_pylist(), encoded.dictionary.to_pylist()
        type_codes = types.indices.to_numpy().astype("int64")
        pairs = type_codes * len(payloads) + encoded.indices.to_numpy()
        pair_codes = pa.array(pairs).dictionary_encode()
        canonical = []
        for pair in pair_codes.dictionary.to_pylist():
            name, text = names[pair // len(payloads)], payloads[pair % len(payloads)]
            try:
                canonical.append(canonical_payload(self._types[name], text))
            except BadInput as error:
                wrong = pc.equal(pa.array(pairs), pair)
                _refuse_where(table, wrong, error.what, remedy=error.remedy)
        column = pa.array(canonical, pa.string()).take(pair_codes.indices)
        return table.set_column(table.schema.get_field_index("payload"), "payload", column)


def canonical_payload(published: FactType, text: str) -> str:
    """The payload checked against its type, as canonical JSON.

    Raises BadInput naming the field: unknown, of another kind, or required and missing.
    """
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"the payload is no JSON: {error}") from error
    if not isinstance(found, dict):
        raise BadInput("the payload is no JSON object")
    kept: dict[str, Any] = {}
    for name, value in found.items():
        if name not in published.payload:
            known = ", ".join(published.payload) or "none"
            raise BadInput(f"unknown payload field {name!r}", remedy=f"known are {known}")
        if value is not None:
            kept[name] = _checked_value(name, value, published.payload[name])
    for name, field in published.payload.items():
        if field.required and name not in kept:
            raise BadInput(f"payload field {name} is missing", remedy=f"give {field.meaning}")
    return payload_text(kept)


def _checked_value(name: str, value: object, field: FactField) -> object:
    convert, words = _KINDS[field.kind]
    try:
        return convert(value)
    except (TypeError, ValueError) as error:
        raise BadInput(f"payload field {name} is {value!r}", remedy=f"give {words}") from error


def _in_schema(table: pa.Table) -> pa.Table:
    unknown = [name for name in table.column_names if name not in FACT_SCHEMA.names]
    if unknown:
        raise BadInput(f"unknown fact columns {unknown}", remedy=f"known: {FACT_SCHEMA.names}")
    columns = []
    for field in FACT_SCHEMA:
        if field.name in table.column_names:
            column = table[field.name]
        elif field.name in ("revision", "payload"):
            default = 0 if field.name == "revision" else "{}"
            column = pa.chunked_array([pa.repeat(pa.scalar(default, field.type), table.num_rows)])
        elif field.nullable:
            column = pa.chunked_array([pa.nulls(table.num_rows, field.type)])
        else:
            raise BadInput(f"the column {field.name} is missing from the facts")
        if field.name == "event_at" and getattr(column.type, "tz", "UTC") is None:
            raise BadInput("event_at has no time zone", remedy="bring it to UTC first")
        try:
            columns.append(column.cast(field.type))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise BadInput(f"the column {field.name} does not fit: {error}") from error
    return pa.table(columns, names=FACT_SCHEMA.names)


def _refuse_where(table: pa.Table, bad: pa.ChunkedArray, what: str, *, remedy: str = "") -> None:
    """Raise BadInput that names the first row where `bad` is true, if any is."""
    row = pc.index(pc.fill_null(bad, False), True).as_py()
    if row >= 0:
        _refuse(table, row, what, remedy=remedy)


def _refuse(table: pa.Table, row: int, what: str, *, remedy: str) -> NoReturn:
    found = {n: table[n][row].as_py() for n in ("type", "source", "external_id")}
    place = f"fact {row} ({found['type']} {found['external_id']!r} of {found['source']!r})"
    raise BadInput(what, place=place, remedy=remedy)
