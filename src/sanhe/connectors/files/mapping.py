"""A mapping: which columns of a file mean what, and which facts a row makes.

A mapping is a TOML file. `[fields.NAME]` says how a column is found and read; `[[facts]]` gives,
per fact type, a DuckDB scalar expression over those fields for each fact column; `[read]` says how
the file is written. `extends = "NAME"` takes a shipped mapping and overrides parts of it.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping as MappingOf
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cache
from importlib.resources import files as resources
from pathlib import Path
from typing import Any, Final

from sanhe.core.errors import BadInput, NotFound

KINDS: Final = frozenset(
    {
        "text",
        "code",
        "integer",
        "number",
        "quantity",
        "money",
        "share",
        "date",
        "timestamp",
        "time",
        "bool",
        "weekdays",
    }
)
COLUMNS: Final = frozenset(
    {
        "external_id",
        "revision",
        "day",
        "at",
        "sku",
        "place",
        "party",
        "quantity",
        "amount_cents",
        "currency",
    }
)


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """How a file is written; None = found out from the file.

    `decimal` and `thousands` are the marks in numbers, `date_format` a strptime format for dates
    that don't begin with the year, `header_row` counts from 1, `time_zone` is the IANA zone of
    local times, `currency` the ISO 4217 code of amounts.
    """

    encoding: str | None = None
    delimiter: str | None = None
    decimal: str | None = None
    thousands: str | None = None
    date_format: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    time_zone: str | None = None
    currency: str | None = None

    def over(self, other: ReadOptions) -> ReadOptions:
        """These options, and the other's where these are silent."""
        named = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(other, **{name: value for name, value in named.items() if value is not None})


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a row: the headers it is found by, its kind, and its limits.

    `scale` multiplies the number in the file into base units (quantity) or minor units (money).
    `rounding` "exact" refuses a fraction of a base unit, "nearest" rounds it. `known` names the
    master the code is checked against: "sku", "place" or "supplier". `also` are headers that count
    only when the mapping is named, since they fit several. `moment` is the local time of a
    timestamp that gives the date alone.
    """

    name: str
    kind: str
    headers: tuple[str, ...]
    required: bool = False
    scale: float | None = None
    rounding: str = "exact"
    minimum: float | None = None
    maximum: float | None = None
    known: str | None = None
    also: tuple[str, ...] = ()
    moment: str = "12:00:00"


@dataclass(frozen=True, slots=True)
class RowRule:
    """What must hold between the fields of a row: a DuckDB condition; null counts as held.

    A row where it is false is refused at `field` for `reason`, with `remedy`.
    """

    holds: str
    field: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class FactRule:
    """How rows become facts of one type: expressions over the fields, by fact column.

    `day` dates the fact; `at` names a timestamp field that gives its moment (and its business
    day, where `day` is left out). `moment` is the local time of facts that carry a day only.
    `source_rows` (TOML: `from`) is a table expression in place of `file_row`; it must keep a
    `row_number`. `distinct` makes one fact of equal rows, `sums` one of the rows of a key: their
    quantities and amounts are added up, the earliest dates it. `announces` lets the fact lie in
    the future.
    """

    type: str
    columns: MappingOf[str, str]
    payload: MappingOf[str, str]
    moment: str = "00:00:00"
    where: str | None = None
    source_rows: str | None = None
    distinct: bool = False
    sums: bool = False
    announces: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """A whole mapping. `family` groups the shipped mappings of one data set or system.

    `assumes` says what its facts hold that the file does not; it is shown with every import.
    """

    name: str
    meaning: str
    source: str
    fields: tuple[Field, ...]
    facts: tuple[FactRule, ...]
    family: str = ""
    read: ReadOptions = field(default_factory=ReadOptions)
    headers: MappingOf[str, str] = field(default_factory=dict)
    extends: str | None = None
    assumes: tuple[str, ...] = ()
    checks: tuple[RowRule, ...] = ()

    def field_named(self, name: str) -> Field:
        """The field; raises NotFound."""
        for one in self.fields:
            if one.name == name:
                return one
        raise NotFound(f"mapping {self.name} has no field {name!r}")

    def describes(self, column: str) -> bool:
        """Whether it describes the SKUs, places or suppliers that it names itself."""
        describing = {"sku": "item.described", "place": "place.described"}
        wanted = describing.get(column, "supplier.described")
        return any(rule.type == wanted for rule in self.facts)

    def to_toml(self) -> str:
        """The shipped mapping with what was found in a file, as a mapping file that extends it.

        Raises BadInput for a mapping that comes from a file itself.
        """
        if self.extends is not None or self.name not in {one.name for one in shipped()}:
            raise BadInput(
                "the mapping comes from a file already",
                place=f"mapping {self.name}",
                remedy="copy that file, or name a shipped mapping",
            )
        lines = [f"extends = {_quoted(self.name)}"]
        lines.append(f"source = {_quoted(self.source)}")
        named = {f.name: getattr(self.read, f.name) for f in fields(self.read)}
        told = {name: value for name, value in named.items() if value is not None}
        if told:
            lines += ["", "[read]"]
            lines += [f"{name} = {_quoted(value)}" for name, value in told.items()]
        if self.headers:
            lines += ["", "[headers]"]
            lines += [f"{name} = {_quoted(header)}" for name, header in self.headers.items()]
        scaled = [one for one in self.fields if one.scale is not None]
        for one in scaled:
            lines += ["", f"[fields.{one.name}]", f"scale = {one.scale}"]
        return "\n".join(lines) + "\n"


def _quoted(value: str | int) -> str:
    """A TOML value; JSON's strings are TOML's basic strings."""
    return json.dumps(value, ensure_ascii=False)


@cache
def shipped() -> tuple[Mapping, ...]:
    """The mappings that come with sanhe, data sets first, by name."""
    folder = resources("sanhe.connectors.files") / "mappings"
    found = [
        _built(tomllib.loads(entry.read_text(encoding="utf-8")), entry.name)
        for entry in sorted(folder.iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".toml")
    ]
    return tuple(sorted(found, key=lambda mapping: (not mapping.family, mapping.name)))


def find_mappings(name: str | Path) -> tuple[Mapping, ...]:
    """The mappings a name stands for: a TOML file, a shipped mapping, or a family of them.

    Raises NotFound naming what there is, BadInput when a file can't be used.
    """
    path = Path(name)
    if path.suffix == ".toml":
        return (load_mapping(path),)
    ours = shipped()
    found = tuple(mapping for mapping in ours if str(name) in {mapping.name, mapping.family})
    if not found:
        there = ", ".join(mapping.name for mapping in ours)
        raise NotFound(f"no mapping {str(name)!r}; there are {there}, or give a .toml file")
    return found


def load_mapping(path: Path) -> Mapping:
    """Read a mapping file. Raises NotFound, BadInput naming the place in it."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(f"no mapping file {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"can't be read: {error}", place=path.name, remedy="save it as UTF-8 text"
        ) from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"no TOML: {error}", place=path.name, remedy="correct the line") from error
    return _built(table, path.name)


def _built(table: dict[str, Any], place: str) -> Mapping:
    allowed = {
        "name", "meaning", "source", "family", "extends", "read", "headers", "fields", "facts",
        "assumes", "checks",
    }  # fmt: skip
    _only(table, allowed, place)
    read = _read_options(table.get("read", {}), place)
    headers = {str(key): str(value) for key, value in table.get("headers", {}).items()}
    if "extends" in table:
        (base,) = find_mappings(str(table["extends"]))
        mapping = _extended(base, table, place)
        mapping = replace(
            mapping,
            read=read.over(base.read),
            headers={**base.headers, **headers},
            extends=base.name,
        )
    else:
        name = str(table.get("name", Path(place).stem))
        mapping = Mapping(
            name=name,
            meaning=str(table.get("meaning", "")),
            source=str(table.get("source", "files")),
            family=str(table.get("family", "")),
            fields=_fields(table.get("fields", {}), place),
            facts=_facts(table.get("facts", []), place),
            read=read,
            headers=headers,
            assumes=tuple(str(text) for text in table.get("assumes", [])),
            checks=_checks(table.get("checks", []), place),
        )
    _check(mapping, place)
    return mapping


def _extended(base: Mapping, table: dict[str, Any], place: str) -> Mapping:
    changed = []
    given = dict(table.get("fields", {}))
    for one in base.fields:
        update = given.pop(one.name, None)
        changed.append(one if update is None else _field(one.name, update, place, base=one))
    added = _fields(given, place)
    facts = _facts(table["facts"], place) if "facts" in table else base.facts
    return replace(
        base,
        source=str(table.get("source", base.source)),
        fields=(*changed, *added),
        facts=facts,
        checks=(*base.checks, *_checks(table.get("checks", []), place)),
    )


def _fields(table: dict[str, Any], place: str) -> tuple[Field, ...]:
    return tuple(_field(name, given, place) for name, given in table.items())


def _field(name: str, given: dict[str, Any], place: str, *, base: Field | None = None) -> Field:
    where = f"{place} [fields.{name}]"
    allowed = {f.name for f in fields(Field)} - {"name"}
    _only(given, allowed, where)
    values = dict(given)
    for key in {"headers", "also"} & set(values):
        values[key] = tuple(str(header) for header in values[key])
    if base is not None:
        return replace(base, **values)
    if values.get("kind") not in KINDS:
        kinds = ", ".join(sorted(KINDS))
        raise BadInput(f"no kind {values.get('kind')!r}", place=where, remedy=f"use {kinds}")
    return Field(name=name, **{"headers": (name,), **values})


def _checks(tables: Sequence[dict[str, Any]], place: str) -> tuple[RowRule, ...]:
    rules = []
    names = {f.name for f in fields(RowRule)}
    for number, table in enumerate(tables, start=1):
        where = f"{place} [[checks]] number {number}"
        _only(table, names, where)
        if names - set(table):
            raise BadInput("a check lacks a part", place=where, remedy=f"give {sorted(names)}")
        rules.append(RowRule(**{name: str(table[name]) for name in names}))
    return tuple(rules)


def _facts(tables: Sequence[dict[str, Any]], place: str) -> tuple[FactRule, ...]:
    rules = []
    for number, table in enumerate(tables, start=1):
        where = f"{place} [[facts]] number {number}"
        options = {"type", "payload", "moment", "where", "from", "distinct", "sums", "announces"}
        _only(table, options | COLUMNS, where)
        if "type" not in table or "external_id" not in table:
            raise BadInput("type or external_id missing", place=where, remedy="name both")
        if "day" not in table and "at" not in table:
            raise BadInput("a fact needs day or at", place=where, remedy="give one of the two")
        rules.append(
            FactRule(
                type=str(table["type"]),
                columns={key: str(table[key]) for key in table if key in COLUMNS},
                payload={key: str(value) for key, value in table.get("payload", {}).items()},
                moment=str(table.get("moment", "00:00:00")),
                where=table.get("where"),
                source_rows=table.get("from"),
                distinct=bool(table.get("distinct", False)),
                sums=bool(table.get("sums", False)),
                announces=bool(table.get("announces", False)),
            )
        )
    return tuple(rules)


def _read_options(table: dict[str, Any], place: str) -> ReadOptions:
    _only(table, {f.name for f in fields(ReadOptions)}, f"{place} [read]")
    return ReadOptions(**table)


def _only(table: dict[str, Any], allowed: set[str] | frozenset[str], place: str) -> None:
    unknown = sorted(set(table) - allowed)
    if unknown:
        raise BadInput(
            f"unknown key {unknown[0]!r}", place=place, remedy=f"use {', '.join(sorted(allowed))}"
        )


def _check(mapping: Mapping, place: str) -> None:
    if not mapping.fields or not mapping.facts:
        raise BadInput("no fields or no facts", place=place, remedy="give both, or extends")
    names = {one.name for one in mapping.fields}
    for name in mapping.headers:
        if name not in names:
            raise BadInput(
                f"[headers] names no field: {name!r}",
                place=place,
                remedy=f"use {', '.join(sorted(names))}",
            )
    for check in mapping.checks:
        if check.field not in names:
            raise BadInput(
                f"[[checks]] names no field: {check.field!r}",
                place=place,
                remedy=f"use {', '.join(sorted(names))}",
            )
    for rule in mapping.facts:
        at = rule.columns.get("at")
        if at is not None and not (at in names and mapping.field_named(at).kind == "timestamp"):
            raise BadInput(
                f"at = {at!r} names no timestamp field", place=f"{place} {rule.type}",
                remedy="name a field of kind timestamp, or give day",
            )  # fmt: skip
