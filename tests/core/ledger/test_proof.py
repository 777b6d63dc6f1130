"""The ledger's proof in PostgreSQL: one flipped bit anywhere is found and named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import psycopg
import pytest
import sqlalchemy as sa

from sanhe.core.clock import FixedClock
from sanhe.core.errors import SanheError, Tampered
from sanhe.core.ledger import Account, MemoryLedger, PostgresLedger, Transfer, rules
from sanhe.core.ledger.rules import Entry, Kind
from sanhe.core.storage import Database, EmbeddedServer, Transaction
from sanhe.core.values import derived_id

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)
SHELF, WORLD, CART = "shelf", "world", "cart"


def move(name: str, source: str, target: str, *, amount: int) -> Transfer:
    return Transfer(
        derived_id("proof", name),
        source,
        target,
        amount=amount,
        reason="sale",
        reference=f"receipt {name} 三合",
        effective_at=NOON,
    )


def id_of(name: str) -> str:
    return str(derived_id("proof", name))


@pytest.fixture
def sealed(database: Database) -> Database:
    """A ledger with two seals, an open reservation in each, and one entry not sealed."""
    accounts = [Account(WORLD, "u"), Account(SHELF, "u", floor=0), Account(CART, "u", floor=0)]
    with database.transaction(actor="till") as tx:
        ledger = PostgresLedger(tx)
        ledger.open_accounts(accounts)
        ledger.transfer([move("in", WORLD, SHELF, amount=32)])
        ledger.reserve(move("held", SHELF, CART, amount=4), expires_at=NOON)
    seal(database)
    with database.transaction(actor="till") as tx:
        ledger = PostgresLedger(tx)
        ledger.reserve(move("part", SHELF, CART, amount=8))
        ledger.reserve(move("gone", SHELF, CART, amount=8))
        ledger.post(derived_id("proof", "part"), amount=6)
        ledger.void(derived_id("proof", "gone"))
    seal(database)
    with database.transaction(actor="till") as tx:
        PostgresLedger(tx).transfer([move("late", WORLD, SHELF, amount=2)])
    return database


def seal(database: Database) -> None:
    with database.transaction(actor="sealer") as tx:
        assert PostgresLedger(tx).seal() is not None


def verify(database: Database) -> int:
    with database.transaction(actor="auditor") as tx:
        return PostgresLedger(tx).verify()


@contextmanager
def superuser(server: EmbeddedServer, database: Database) -> Iterator[sa.Connection]:
    """A connection past all locks: no triggers, no checks, no identity columns."""
    name = urlsplit(database.owner_url).path[1:]
    url = server.url(user="postgres", database=name)
    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    with engine.connect() as connection:
        connection.exec_driver_sql("SET session_replication_role = replica")
        connection.exec_driver_sql(
            "DO $$ DECLARE c record; BEGIN FOR c IN SELECT conrelid::regclass AS t, conname"
            " FROM pg_constraint WHERE contype = 'c' AND conrelid::regclass::text LIKE 'ledger%%'"
            " LOOP EXECUTE format('ALTER TABLE %%s DROP CONSTRAINT %%I', c.t, c.conname);"
            " END LOOP; END $$"
        )
        for column in ("ledger_entry ALTER number", "ledger_account ALTER id"):
            connection.exec_driver_sql(f"ALTER TABLE {column} DROP IDENTITY")
        yield connection
    engine.dispose()


def found_after(connection: sa.Connection, statement: str) -> str:
    """What verify says after this change of one row, which is then taken back."""
    with connection.begin_nested() as change:
        assert connection.exec_driver_sql(statement).rowcount == 1, statement
        try:
            PostgresLedger(Transaction(connection, "auditor", FixedClock(NOON))).verify()
        except Tampered as error:
            return str(error)
        finally:
            change.rollback()
    return "nothing"


FLIPS = {
    "bigint": "{c} # 1048576",
    "text": "overlay({c} placing chr(ascii({c}) # 1) from 1 for 1)",
    "timestamp with time zone": "{c} + interval '1 microsecond'",
    "uuid": "(left({c}::text, 35) || to_hex(('x' || right({c}::text, 1))::bit(4)::int # 1))::uuid",
    "bytea": "set_bit({c}, 5, 1 - get_bit({c}, 5))",
}
TYPES = {
    "ledger_account": {
        **dict.fromkeys(("id", "floor", "posted", "pending_out", "pending_in"), "bigint"),
        **dict.fromkeys(("code", "unit"), "text"),
    },
    "ledger_entry": {
        **dict.fromkeys(("number", "written_by", "source", "target", "amount"), "bigint"),
        **dict.fromkeys(("effective_at", "expires_at", "recorded_at"), "timestamp with time zone"),
        **dict.fromkeys(("kind", "reason", "reference", "actor"), "text"),
        "transfer": "uuid",
    },
    "ledger_seal": {
        **dict.fromkeys(("number", "first_entry", "last_entry", "entries", "below"), "bigint"),
        **dict.fromkeys(("tree", "root"), "bytea"),
        "sealed_at": "timestamp with time zone",
        "actor": "text",
    },
    "ledger_leaf": {"entry": "bigint", "seal": "bigint", "hash": "bytea"},
    "ledger_hold": {"transfer": "uuid", "expires_at": "timestamp with time zone"},
}
ROWS = {
    "ledger_account": ("code = 'shelf'", "account (shelf|rhelf|1048578)"),
    "ledger_entry": ("number = 5", "entry 5 "),
    "ledger_seal": ("number = 2", "seal"),
    "ledger_leaf": ("entry = 5", "entry (5|1048581) "),
    "ledger_hold": ("true", f"hold of transfer {id_of('held')[:35]}"),
}
CASES = [(table, column) for table, columns in TYPES.items() for column in columns]


def test_every_column_is_flipped(database: Database) -> None:
    found = database.read_arrow(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_name LIKE 'ledger%'"
    ).to_pylist()
    assert {(r["table_name"], r["column_name"]): r["data_type"] for r in found} == {
        (table, column): kind
        for table, columns in TYPES.items()
        for column, kind in columns.items()
    }


def test_an_untouched_ledger_verifies(server: EmbeddedServer, sealed: Database) -> None:
    assert verify(sealed) == 10
    with superuser(server, sealed) as connection:
        nothing = "UPDATE ledger_entry SET amount = amount WHERE number = 5"
        assert found_after(connection, nothing) == "nothing"
        # What is not sealed yet is held by the balances only: seal often.
        words = "UPDATE ledger_entry SET reference = 'other' WHERE number = 10"
        assert found_after(connection, words) == "nothing"


def test_one_flipped_bit_is_named(server: EmbeddedServer, sealed: Database) -> None:
    wrong = []
    with superuser(server, sealed) as connection:
        for table, column in CASES:
            where, named = ROWS[table]
            flip = FLIPS[TYPES[table][column]].format(c=column)
            said = found_after(connection, f"UPDATE {table} SET {column} = {flip} WHERE {where}")
            if not re.search(named, said):
                wrong.append(f"{table}.{column}: {said}")
    assert not wrong, wrong


LOST_OR_FORGED = [
    ("DELETE FROM ledger_entry WHERE number = 6", "entry 6 "),
    ("DELETE FROM ledger_leaf WHERE entry = 6", "seal 2 "),
    ("DELETE FROM ledger_seal WHERE number = 1", "seal of ledger entry 1 "),
    ("DELETE FROM ledger_account WHERE code = 'cart'", "account cart "),
    ("DELETE FROM ledger_hold", id_of("held")),
    ("DELETE FROM ledger_entry WHERE kind = 'transfer' AND number = 10", "account shelf "),
    ("UPDATE ledger_entry SET amount = 3 WHERE number = 10", "account shelf "),
    ("UPDATE ledger_entry SET kind = 'posted' WHERE number = 9", "entry 9 "),
    (
        "INSERT INTO ledger_entry SELECT 11, written_by, source, target, amount, effective_at,"
        " expires_at, recorded_at, gen_random_uuid(), kind, reason, reference, actor"
        " FROM ledger_entry WHERE number = 4",
        "account shelf ",
    ),
    (
        "INSERT INTO ledger_entry SELECT 11, written_by, source, target, amount, effective_at,"
        " expires_at, recorded_at, gen_random_uuid(), 'voided', reason, reference, actor"
        " FROM ledger_entry WHERE number = 4",
        "entry 11 ",
    ),
    ("INSERT INTO ledger_account (id, code, unit) VALUES (99, 'new', 'u')", "account new "),
    ("INSERT INTO ledger_hold VALUES (gen_random_uuid(), now())", "hold of transfer "),
]


def test_a_lost_or_forged_row_is_named(server: EmbeddedServer, sealed: Database) -> None:
    wrong = []
    with superuser(server, sealed) as connection:
        for statement, named in LOST_OR_FORGED:
            said = found_after(connection, statement)
            if named not in said:
                wrong.append(f"{statement}: {said}")
    assert not wrong, wrong


def test_both_sides_forged_alike_are_found_by_the_seal(
    server: EmbeddedServer, sealed: Database
) -> None:
    with superuser(server, sealed) as connection:
        connection.exec_driver_sql(
            "UPDATE ledger_account SET posted = posted + CASE code WHEN 'shelf' THEN 5 ELSE -5 END"
            " WHERE code IN ('shelf', 'world')"
        )
        forged = "UPDATE ledger_entry SET amount = amount + 5 WHERE number = 4"
        assert "entry 4 " in found_after(connection, forged)


def test_sql_and_python_hash_an_entry_alike(sealed: Database) -> None:
    with sealed.transaction(actor="auditor") as tx:
        rows = tx.connection.exec_driver_sql(
            "SELECT number, kind, transfer, source, target, amount, reason, reference,"
            " effective_at, expires_at, recorded_at, actor, written_by, ledger_entry_hash(e)"
            " FROM ledger_entry AS e ORDER BY number"
        ).all()
        first = [bytes(row[-1]) for row in rows][:5]
        tree = tx.connection.exec_driver_sql("SELECT tree FROM ledger_seal WHERE number = 1")
        assert rules.tree_root(first) == bytes(tree.scalar_one())
    assert len(rows) == 10
    for number, kind, *middle, sql_hash in rows:
        entry = Entry(number, Kind(kind), *middle)
        assert rules.entry_hash(entry) == bytes(sql_hash)


def test_memory_finds_forgeries_too() -> None:
    clock = FixedClock(NOON)

    def made() -> MemoryLedger:
        ledger = MemoryLedger(clock)
        ledger.open_accounts([Account(WORLD, "u"), Account(SHELF, "u", floor=0)])
        ledger.transfer([move("in", WORLD, SHELF, amount=32)])
        ledger.seal()
        assert ledger.verify() == 3
        return ledger

    forged = made()
    forged.entries[2] = replace(forged.entries[2], amount=33)
    with pytest.raises(Tampered, match="entry 3 "):
        forged.verify()
    forged = made()
    forged.held[SHELF] = replace(forged.held[SHELF], posted=33)
    with pytest.raises(Tampered, match="account shelf "):
        forged.verify()
    forged = made()
    forged.open[SHELF] = replace(forged.open[SHELF], floor=-1)
    with pytest.raises(Tampered, match="account shelf "):
        forged.verify()
    forged = made()
    forged.leaves[3] = bytes(32)
    with pytest.raises(SanheError, match="entry 3 "):
        forged.verify()
