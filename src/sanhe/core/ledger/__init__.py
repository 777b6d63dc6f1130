"""Ledger: double entry for all that must not be lost, doubled or forged (S22, ground of S1-S35).

Input: transfers with ids given by the client, pending ones to be posted or voided later. The
database holds the floors of bounded accounts; entries never change. Output: balances, and a hash
chain sealed in batches that `verify` recomputes. `PostgresLedger` keeps it in a transaction,
`MemoryLedger` in memory.
"""

from sanhe.core.ledger.memory import MemoryLedger
from sanhe.core.ledger.ports import Account, Balance, Hold, Ledger, Seal, Transfer
from sanhe.core.ledger.rules import account_code
from sanhe.core.ledger.store import PostgresLedger
from sanhe.core.ledger.tables import ACCOUNT_SCHEMA, TRANSFER_SCHEMA

__all__ = [
    "ACCOUNT_SCHEMA",
    "TRANSFER_SCHEMA",
    "Account",
    "Balance",
    "Hold",
    "Ledger",
    "MemoryLedger",
    "PostgresLedger",
    "Seal",
    "Transfer",
    "account_code",
]
