"""The current facts of a type as a query on the lake."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sanhe.core.lake.ports import Lake

if TYPE_CHECKING:
    import pyarrow as pa

FACTS_FOLDER = "facts/"
"""Where the entries of each fact type lie: table `facts/TYPE`."""

PLAIN = "plain"
"""The detail of a fact table that says: no corrections and no retractions, all entries hold."""

_DUCK_TYPES = {
    "type": "VARCHAR",
    "source": "VARCHAR",
    "external_id": "VARCHAR",
    "revision": "INTEGER",
    "event_at": "TIMESTAMPTZ",
    "day": "DATE",
    "sku": "VARCHAR",
    "place": "VARCHAR",
    "party": "VARCHAR",
    "quantity": "BIGINT",
    "amount_cents": "BIGINT",
    "currency": "VARCHAR",
    "payload": "VARCHAR",
}
_COLUMNS = ", ".join(_DUCK_TYPES)
_EMPTY = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in _DUCK_TYPES.items())

_ALL = "SELECT {columns} FROM {table}"

# Only keys with a correction or a retraction need the windows; they are few among many.
_HELD = """
    WITH mended AS (
        SELECT DISTINCT source, external_id FROM {table} WHERE revision > 0 OR entry > 0
    )
    SELECT {columns} FROM {table} ANTI JOIN mended USING (source, external_id)
    UNION ALL
    SELECT {columns} FROM (
        SELECT * FROM (
            SELECT * FROM {table} SEMI JOIN mended USING (source, external_id)
            QUALIFY row_number() OVER (
                PARTITION BY source, external_id, revision ORDER BY entry DESC
            ) = 1
        ) AS last
        WHERE stands
        QUALIFY row_number() OVER (
            PARTITION BY source, external_id ORDER BY revision DESC
        ) = 1
    ) AS held
"""


@dataclass(frozen=True, slots=True)
class FactSources:
    """`sql` gives for each fact type a SELECT of its current facts, in the columns of
    FACT_SCHEMA; `tables` are the lake tables that they read."""

    sql: Mapping[str, str]
    tables: tuple[str, ...]


def current_facts(lake: Lake, types: Collection[str]) -> FactSources:
    """The current facts of these types as sub-queries; a type never recorded gives no rows."""
    have = lake.tables()
    sql: dict[str, str] = {}
    tables: list[str] = []
    for type_ in types:
        name = FACTS_FOLDER + type_
        if name not in have:
            sql[type_] = f"SELECT {_EMPTY} WHERE false"
            continue
        tables.append(name)
        if have[name].details.get(PLAIN, False):
            sql[type_] = _ALL.format(table=f'"{name}"', columns=_COLUMNS)
        else:
            sql[type_] = _HELD.format(table=f'"{name}"', columns=_COLUMNS)
    return FactSources(sql, tuple(tables))


def write_facts(lake: Lake, facts: pa.Table) -> None:
    """Replace the fact tables of all types in `facts` (FACT_SCHEMA) by these current facts.

    For lakes without a database behind them: tests, benchmarks, notebooks.
    """
    import pyarrow.compute as pc

    for type_ in pc.unique(facts["type"]).to_pylist():
        rows = facts.filter(pc.equal(facts["type"], type_))
        lake.write(FACTS_FOLDER + type_, rows, details={PLAIN: True})
