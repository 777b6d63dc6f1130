"""What is only ever added to can't be changed by its owner either, as the ledger already."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    "fact_batch",
    "fact_part",
    "fact",
    "audit_event",
    "purchase_order",
    "purchase_order_line",
    "purchase_order_event",
)


def upgrade() -> None:
    """Refuse UPDATE, DELETE and TRUNCATE on these tables, whoever asks."""
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only()"
        )
