"""Transfers on their way into a statement: as parameters, one array a column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sanhe.core.ledger.ports import Transfer

PARAMETERS = """
    SELECT position, id, source, target, amount, reason, reference, effective_at
    FROM unnest(
        CAST(:ids AS uuid[]), CAST(:sources AS text[]), CAST(:targets AS text[]),
        CAST(:amounts AS bigint[]), CAST(:reasons AS text[]), CAST(:references AS text[]),
        CAST(:moments AS timestamptz[])
    ) WITH ORDINALITY AS i
        (id, source, target, amount, reason, reference, effective_at, position)
"""
"""The rows of `columns` in SQL; `position` numbers them from 1."""


def columns(transfers: Sequence[Transfer]) -> Mapping[str, Any]:
    """Transfers as the parameters that `PARAMETERS` names."""
    return {
        "ids": [transfer.id for transfer in transfers],
        "sources": [transfer.source for transfer in transfers],
        "targets": [transfer.target for transfer in transfers],
        "amounts": [transfer.amount for transfer in transfers],
        "reasons": [transfer.reason for transfer in transfers],
        "references": [transfer.reference for transfer in transfers],
        "moments": [transfer.effective_at for transfer in transfers],
    }
