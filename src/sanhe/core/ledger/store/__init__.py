"""The ledger in PostgreSQL: transfers and their proof."""

from sanhe.core.ledger.store.transfers import PostgresLedger

__all__ = ["PostgresLedger"]
