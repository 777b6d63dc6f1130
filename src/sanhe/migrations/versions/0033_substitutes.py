"""What a shopper takes instead: whether they do, and the line that stands in for another."""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_INSTEAD = """
ALTER TABLE sales_order ADD COLUMN substitutes boolean NOT NULL DEFAULT false;
ALTER TABLE sales_order_line ADD COLUMN instead_of int CHECK (instead_of < line);
"""


def upgrade() -> None:
    """Add the columns; who ordered before takes nothing else."""
    op.execute(_INSTEAD)
