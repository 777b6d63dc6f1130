"""What orders use and are paid with besides money, and the goods' brands and member prices."""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

_BENEFITS = """
ALTER TABLE sales_order
    ADD COLUMN points bigint NOT NULL DEFAULT 0 CHECK (points >= 0),
    ADD COLUMN points_cents bigint NOT NULL DEFAULT 0 CHECK (points_cents >= 0),
    ADD COLUMN stored_cents bigint NOT NULL DEFAULT 0 CHECK (stored_cents >= 0),
    ADD COLUMN uses jsonb NOT NULL DEFAULT '[]',
    ADD CHECK (points_cents + stored_cents <= total_cents);
ALTER TABLE sales_order_line ADD COLUMN discounts jsonb NOT NULL DEFAULT '[]';
ALTER TABLE item_description ADD COLUMN brand text;
ALTER TABLE price_setting ADD COLUMN member_cents bigint;
"""


def upgrade() -> None:
    """Add the columns; what was ordered before used nothing of the kind."""
    op.execute(_BENEFITS)
