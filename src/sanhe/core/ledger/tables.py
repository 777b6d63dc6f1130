"""The ledger's Arrow tables: transfers in bulk, accounts with their balances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from uuid import UUID

import pyarrow as pa
import pyarrow.compute as pc

from sanhe.core.errors import BadInput
from sanhe.core.ledger.ports import Account, Balance, Transfer
from sanhe.core.ledger.rules import check_transfer

TRANSFER_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("source", pa.string()),
        ("target", pa.string()),
        ("amount", pa.int64()),
        ("reason", pa.string()),
        ("reference", pa.string()),
        ("effective_at", pa.timestamp("us", tz="UTC")),
    ]
)
"""Transfers in bulk: `id` is a UUID as text, the rest as in `Transfer`; nothing is null."""

ACCOUNT_SCHEMA = pa.schema(
    [
        ("code", pa.string()),
        ("unit", pa.string()),
        ("floor", pa.int64()),
        ("posted", pa.int64()),
        ("pending_out", pa.int64()),
        ("pending_in", pa.int64()),
    ]
)
"""Accounts with balances in the account's unit; `floor` is null when unbounded."""


def check_transfer_table(table: pa.Table) -> pa.Table:
    """The table cast to `TRANSFER_SCHEMA`; raises BadInput for a missing column or a null."""
    missing = [name for name in TRANSFER_SCHEMA.names if name not in table.column_names]
    if missing:
        raise BadInput(f"columns {missing} are missing", place="transfer table")
    fitting = table.select(TRANSFER_SCHEMA.names).cast(TRANSFER_SCHEMA)
    for name in TRANSFER_SCHEMA.names:
        if fitting.column(name).null_count:
            raise BadInput(f"column {name} has nulls", place="transfer table")
    wrong = pc.or_(
        pc.less(fitting.column("amount"), 1),
        pc.equal(fitting.column("source"), fitting.column("target")),
    )
    if pc.any(wrong).as_py():
        row = pc.index(wrong, True).as_py()
        check_transfer(next(iter(transfers_of_rows(fitting.slice(row, 1)))))
    return fitting


def transfers_of_rows(table: pa.Table) -> Iterable[Transfer]:
    """The rows of a table in `TRANSFER_SCHEMA` as transfers."""
    for row in table.to_pylist():
        yield Transfer(**{**row, "id": UUID(row["id"])})


def transfers_of(transfers: Iterable[Transfer] | pa.Table) -> Iterable[Transfer]:
    """Transfers one by one, from objects or a table in `TRANSFER_SCHEMA`."""
    if not isinstance(transfers, pa.Table):
        yield from transfers
        return
    yield from transfers_of_rows(check_transfer_table(transfers))


def transfer_table(transfers: Sequence[Transfer]) -> pa.Table:
    """Transfers as a table in `TRANSFER_SCHEMA`."""
    columns = [
        pa.array([str(transfer.id) for transfer in transfers], pa.string()),
        *(
            pa.array(
                [getattr(transfer, name) for transfer in transfers],
                TRANSFER_SCHEMA.field(name).type,
            )
            for name in TRANSFER_SCHEMA.names[1:]
        ),
    ]
    return pa.Table.from_arrays(columns, schema=TRANSFER_SCHEMA)


def account_table(rows: Sequence[tuple[Account, Balance]]) -> pa.Table:
    """Accounts with their balances in `ACCOUNT_SCHEMA`."""
    return pa.Table.from_pylist(
        [
            {
                "code": account.code,
                "unit": account.unit,
                "floor": account.floor,
                "posted": balance.posted,
                "pending_out": balance.pending_out,
                "pending_in": balance.pending_in,
            }
            for account, balance in rows
        ],
        schema=ACCOUNT_SCHEMA,
    )
