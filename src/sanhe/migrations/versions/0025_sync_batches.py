"""Batches of devices that sync, kept apart from what people took in."""

from __future__ import annotations

from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_KIND = """
ALTER TABLE fact_batch DROP CONSTRAINT fact_batch_kind_check;
ALTER TABLE fact_batch ADD CONSTRAINT fact_batch_kind_check
    CHECK (kind IN ('import', 'sync', 'undo'));
CREATE INDEX fact_batch_listed ON fact_batch (number) WHERE kind <> 'sync';
"""


def upgrade() -> None:
    """Take a third kind, and find the others without reading it."""
    op.get_bind().exec_driver_sql(_KIND)
