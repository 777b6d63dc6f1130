"""A refund that is not done at once is asked for again."""

from __future__ import annotations

from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_TRIES = """
ALTER TABLE sales_refund
    ADD COLUMN tries int NOT NULL DEFAULT 0 CHECK (tries >= 0),
    ADD COLUMN ask_at timestamptz;
CREATE INDEX sales_refund_due ON sales_refund (ask_at) WHERE done_at IS NULL;
GRANT UPDATE (tries, ask_at) ON sales_refund TO sanhe_app;
"""


def upgrade() -> None:
    """Count the tries, and keep when the next one is due."""
    op.execute(_TRIES)
