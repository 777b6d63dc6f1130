"""The newest closed decision of a line is found along an index."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# Only of closed ones, so that proposing a million lines writes nothing into it.
_CLOSED = """
CREATE INDEX decision_closed ON decision (kind, sku, place, number)
    WHERE status NOT IN ('proposed', 'snoozed', 'approved', 'edited', 'executing');
"""


def upgrade() -> None:
    """Add the index of closed decisions."""
    op.execute(_CLOSED)
