"""The table of commands: a key, what was asked under it, and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import sqlalchemy as sa

from sanhe.core.commands.rules import Call
from sanhe.core.storage import Transaction

Key = tuple[str, str, str]
"""Actor, name and key of a call."""

_CALLS = """
    unnest(CAST(:actors AS text[]), CAST(:names AS text[]), CAST(:keys AS text[]))
"""

# In order, so that two who insert the same keys never wait for each other. A twin waits here for
# the transaction of the first.
_TAKE = sa.text("""
INSERT INTO command (actor, name, key, body, given_at)
SELECT actor, name, key, body, :now
FROM unnest(
    CAST(:actors AS text[]), CAST(:names AS text[]), CAST(:keys AS text[]),
    CAST(:bodies AS bytea[])
) AS c (actor, name, key, body)
ORDER BY actor COLLATE "C", name COLLATE "C", key COLLATE "C"
ON CONFLICT (actor, name, key) DO NOTHING
RETURNING actor, name, key
""")
_KNOWN = sa.text(f"""
SELECT c.actor, c.name, c.key, c.body, CAST(c.answer AS text) AS answer
FROM {_CALLS} AS given (actor, name, key)
JOIN command AS c ON (c.actor, c.name, c.key)
    = (given.actor COLLATE "C", given.name COLLATE "C", given.key COLLATE "C")
""")  # noqa: S608 -- made of constants
_ANSWER = sa.text("""
UPDATE command AS c SET answer = CAST(given.answer AS json)
FROM unnest(
    CAST(:actors AS text[]), CAST(:names AS text[]), CAST(:keys AS text[]),
    CAST(:answers AS text[])
) AS given (actor, name, key, answer)
WHERE (c.actor, c.name, c.key)
    = (given.actor COLLATE "C", given.name COLLATE "C", given.key COLLATE "C")
""")
_FORGET = sa.text("DELETE FROM command WHERE given_at < :before")


def take(tx: Transaction, calls: Sequence[Call]) -> frozenset[Key]:
    """Write the keys of these calls; returns those that were not known. No key is given twice."""
    given = {**_columns(calls), "bodies": [call.digest for call in calls], "now": tx.clock.now()}
    rows = tx.connection.execute(_TAKE, given)
    return frozenset((row.actor, row.name, row.key) for row in rows)


def read_known(tx: Transaction, calls: Sequence[Call]) -> Mapping[Key, tuple[bytes, str]]:
    """The digest of the body and the answer as JSON text, of the known ones of these calls."""
    rows = tx.connection.execute(_KNOWN, _columns(calls))
    return {(row.actor, row.name, row.key): (row.body, row.answer) for row in rows}


def answer(tx: Transaction, calls: Sequence[Call], answers: Sequence[str]) -> None:
    """Keep the answers, JSON texts, to calls whose keys this transaction has written."""
    tx.connection.execute(_ANSWER, {**_columns(calls), "answers": list(answers)})


def forget(tx: Transaction, before: datetime) -> int:
    """Delete what was given before a moment; returns how many."""
    return tx.connection.execute(_FORGET, {"before": before}).rowcount


def _columns(calls: Sequence[Call]) -> dict[str, object]:
    return {
        "actors": [call.actor for call in calls],
        "names": [call.name for call in calls],
        "keys": [call.key for call in calls],
    }
