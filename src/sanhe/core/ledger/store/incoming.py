"""Transfers on their way into a statement: as one JSON text, cheaper than seven arrays."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sanhe.core.ledger.ports import Transfer

PARAMETERS = """
    SELECT position, id, source, target, amount, reason, reference, effective_at
    FROM ROWS FROM (json_to_recordset(CAST(:transfers AS json)) AS (
        id uuid, source text, target text, amount bigint, reason text, reference text,
        effective_at timestamptz
    )) WITH ORDINALITY AS i
        (id, source, target, amount, reason, reference, effective_at, position)
"""
"""The rows of `rows_of` in SQL, given as `transfers`; `position` numbers them from 1."""


def rows_of(transfers: Sequence[Transfer]) -> str:
    """Transfers as the JSON that `PARAMETERS` reads."""
    return json.dumps(
        [
            {
                "id": str(transfer.id),
                "source": transfer.source,
                "target": transfer.target,
                "amount": transfer.amount,
                "reason": transfer.reason,
                "reference": transfer.reference,
                "effective_at": transfer.effective_at.isoformat(),
            }
            for transfer in transfers
        ]
    )
