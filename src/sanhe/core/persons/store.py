"""The keys of persons, and which of them were destroyed."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from sanhe.core.persons.sealing import WrappedKey
from sanhe.core.storage import Transaction

UNSAVED: Final = ("public.person_key",)
"""The tables that are in no backup of the data."""

_COLUMNS = "k.id, k.person, k.wrapped, k.master, k.is_current"
_NAMES = _COLUMNS.replace("k.", "")
# Whoever seals with a key holds it: until they commit nobody destroys it.
_HOLD = sa.text(f"""
SELECT {_COLUMNS} FROM person_key AS k
WHERE k.person = ANY (CAST(:persons AS text[])) AND k.is_current ORDER BY k.person FOR KEY SHARE
""")  # noqa: S608 -- constants
_HOLD_ALONE = sa.text("SELECT id FROM person_key WHERE person = :person ORDER BY id FOR UPDATE")
_ADD = sa.text(f"""
INSERT INTO person_key AS k ({_NAMES})
SELECT {_COLUMNS} FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS k (
    id uuid, person text, wrapped bytea, master text, is_current boolean)
WHERE NOT EXISTS (SELECT FROM person_erasure AS e WHERE e.key = k.id) ORDER BY k.person, k.id
ON CONFLICT DO NOTHING RETURNING k.id
""")  # noqa: S608 -- constants
_READ = sa.text(f"SELECT {_COLUMNS} FROM person_key AS k WHERE k.id = :id")  # noqa: S608
_IS_ERASED = sa.text("SELECT FROM person_erasure WHERE key = :id")
_ANY = sa.text("SELECT FROM person_key LIMIT 1")
_MASTERS = sa.text("SELECT master, count(*) AS keys FROM person_key GROUP BY master")
_ERASE = sa.text("""
WITH gone AS (DELETE FROM person_key WHERE person = :person RETURNING id, person)
INSERT INTO person_erasure (key, person, erased_at, actor)
SELECT id, person, :at, :actor FROM gone RETURNING key
""")
# Under this lock no key is made: whoever makes one shares it, and reads the file afterwards.
_MAKING = sa.text("SELECT pg_advisory_xact_lock_shared(7346702)")
_NOBODY_MAKES = sa.text("SELECT pg_advisory_xact_lock(7346702)")
_OTHERS = sa.text(f"""
SELECT {_COLUMNS} FROM person_key AS k WHERE k.master <> :master ORDER BY k.id LIMIT :limit
FOR NO KEY UPDATE
""")  # noqa: S608 -- constants
_REWRAP = sa.text("""
UPDATE person_key AS k SET wrapped = g.wrapped, master = g.master
FROM jsonb_to_recordset(CAST(:keys AS jsonb)) AS g (id uuid, wrapped bytea, master text)
WHERE k.id = g.id
""")
_AFTER = sa.text(f"""
SELECT {_COLUMNS} FROM person_key AS k WHERE k.id > :after ORDER BY k.id LIMIT :limit
""")  # noqa: S608 -- constants
_ERASURES_AFTER = sa.text("""
SELECT key, person, erased_at, actor FROM person_erasure WHERE key > :after
ORDER BY key LIMIT :limit
""")
_ADD_ERASURES = sa.text("""
WITH given AS (
    SELECT * FROM jsonb_to_recordset(CAST(:erasures AS jsonb)) AS g (
        key uuid, person text, erased_at timestamptz, actor text)
), gone AS (
    DELETE FROM person_key AS k USING given WHERE k.id = given.key
)
INSERT INTO person_erasure (key, person, erased_at, actor)
SELECT key, person, erased_at, actor FROM given ON CONFLICT DO NOTHING
""")
_NIL = UUID(int=0)
_AT_ONCE = 1_000


def hold(tx: Transaction, persons: Collection[str]) -> dict[str, WrappedKey]:
    """The current keys of these persons, held until the transaction ends."""
    found = tx.connection.execute(_HOLD, {"persons": sorted(persons)})
    return {row.person: WrappedKey(**row._mapping) for row in found}


def hold_alone(tx: Transaction, person: str) -> bool:
    """Hold a person's keys so that nobody else does; whether there are any."""
    return bool(tx.connection.execute(_HOLD_ALONE, {"person": person}).all())


def add(tx: Transaction, keys: Sequence[WrappedKey]) -> set[UUID]:
    """Add keys; those that were there, were destroyed, or come second to a current one are left
    out. The ids of those that were added."""
    given = [
        {
            "id": str(key.id),
            "person": key.person,
            "wrapped": _hex(key.wrapped),
            "master": key.master,
            "is_current": key.is_current,
        }
        for key in keys
    ]
    return set(tx.connection.execute(_ADD, {"keys": json.dumps(given)}).scalars())


def read(tx: Transaction, key: UUID) -> WrappedKey | None:
    """One key."""
    row = tx.connection.execute(_READ, {"id": key}).one_or_none()
    return None if row is None else WrappedKey(**row._mapping)


def is_erased(tx: Transaction, key: UUID) -> bool:
    """Whether a key was destroyed."""
    return tx.connection.execute(_IS_ERASED, {"id": key}).first() is not None


def has_keys(tx: Transaction) -> bool:
    """Whether there is any key."""
    return tx.connection.execute(_ANY).first() is not None


def masters(tx: Transaction) -> dict[str, int]:
    """How many keys each master key wraps."""
    return {row["master"]: row["keys"] for row in tx.connection.execute(_MASTERS).mappings().all()}


def erase(tx: Transaction, person: str) -> int:
    """Destroy a person's keys and keep that it was done; how many."""
    given = {"person": person, "at": tx.clock.now(), "actor": tx.actor}
    return len(tx.connection.execute(_ERASE, given).all())


def share_making(tx: Transaction) -> None:
    """Say that keys may be made until the transaction ends."""
    tx.connection.execute(_MAKING)


def stop_making(tx: Transaction) -> None:
    """Wait until nobody makes keys, and let nobody until the transaction ends."""
    tx.connection.execute(_NOBODY_MAKES)


def read_others(tx: Transaction, master: str) -> list[WrappedKey]:
    """Some keys under any other master key, held until the transaction ends."""
    found = tx.connection.execute(_OTHERS, {"master": master, "limit": _AT_ONCE})
    return [WrappedKey(**row._mapping) for row in found]


def rewrap(tx: Transaction, keys: Sequence[WrappedKey]) -> None:
    """Keep keys as they are wrapped now."""
    given = [
        {"id": str(key.id), "wrapped": _hex(key.wrapped), "master": key.master} for key in keys
    ]
    tx.connection.execute(_REWRAP, {"keys": json.dumps(given)})


def all_keys(tx: Transaction) -> Iterator[WrappedKey]:
    """Every key, by id."""
    for row in _walk(tx, _AFTER, "id"):
        yield WrappedKey(**row)


def all_erasures(tx: Transaction) -> Iterator[Mapping[str, Any]]:
    """Every destroyed key: `key`, `person`, `erased_at`, `actor`."""
    return _walk(tx, _ERASURES_AFTER, "key")


def add_erasures(tx: Transaction, erasures: Sequence[Mapping[str, Any]]) -> None:
    """Keep that these keys were destroyed elsewhere, and destroy them here."""
    tx.connection.execute(_ADD_ERASURES, {"erasures": json.dumps(list(erasures))})


def _walk(tx: Transaction, query: sa.TextClause, name: str) -> Iterator[Mapping[str, Any]]:
    after = _NIL
    while True:
        rows = tx.connection.execute(query, {"after": after, "limit": _AT_ONCE}).mappings().all()
        yield from (dict(row) for row in rows)
        if len(rows) < _AT_ONCE:
            return
        after = rows[-1][name]


def _hex(octets: bytes) -> str:
    """As PostgreSQL reads bytea."""
    return "\\x" + octets.hex()
