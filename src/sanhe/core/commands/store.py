"""The table of commands: a key, what was asked under it, and the answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from sanhe.core.storage import Transaction

Key = tuple[str, str, str]
"""Actor, name and key of a call."""

_CALLS = """
    json_to_recordset(CAST(:calls AS json)) AS given (
        actor text, name text, key text, body text, answer text
    )
"""
_SAME = """(c.actor, c.name, c.key)
    = (given.actor COLLATE "C", given.name COLLATE "C", given.key COLLATE "C")"""

# In order, so that two who insert the same keys never wait for each other. A twin waits here for
# the transaction of the first.
_TAKE = sa.text(f"""
INSERT INTO command (actor, name, key, body, given_at)
SELECT actor, name, key, decode(body, 'hex'), :now FROM {_CALLS}
ORDER BY actor COLLATE "C", name COLLATE "C", key COLLATE "C"
ON CONFLICT (actor, name, key) DO NOTHING
RETURNING actor, name, key
""")  # noqa: S608 -- made of constants
_KNOWN = sa.text(f"""
SELECT c.actor, c.name, c.key, c.body, CAST(c.answer AS text) AS answer
FROM {_CALLS} JOIN command AS c ON {_SAME}
""")  # noqa: S608 -- made of constants
_ANSWER = sa.text(f"""
UPDATE command AS c SET answer = CAST(given.answer AS json) FROM {_CALLS} WHERE {_SAME}
""")  # noqa: S608 -- made of constants
_FORGET = sa.text("DELETE FROM command WHERE given_at < :before")


def take(tx: Transaction, bodies: Mapping[Key, bytes]) -> frozenset[Key]:
    """Write these keys, each with the digest of its body; returns those that were not known."""
    calls = [{**_named(key), "body": body.hex()} for key, body in bodies.items()]
    given = {"calls": json.dumps(calls), "now": tx.clock.now()}
    rows = tx.connection.execute(_TAKE, given)
    return frozenset((row.actor, row.name, row.key) for row in rows)


def read_known(tx: Transaction, keys: Iterable[Key]) -> Mapping[Key, tuple[bytes, str]]:
    """The digest of the body and the answer as JSON text, of the known ones of these keys."""
    given = {"calls": json.dumps([_named(key) for key in keys])}
    rows = tx.connection.execute(_KNOWN, given)
    return {(row.actor, row.name, row.key): (row.body, row.answer) for row in rows}


def answer(tx: Transaction, answers: Mapping[Key, str]) -> None:
    """Keep the answers, JSON texts, to calls whose keys this transaction has written."""
    calls = [{**_named(key), "answer": text} for key, text in answers.items()]
    tx.connection.execute(_ANSWER, {"calls": json.dumps(calls)})


def forget(tx: Transaction, before: datetime) -> int:
    """Delete what was given before a moment; returns how many."""
    return tx.connection.execute(_FORGET, {"before": before}).rowcount


def _named(key: Key) -> dict[str, str]:
    return dict(zip(("actor", "name", "key"), key, strict=True))
