"""Decisions of a status by money, everywhere and at a place, are found along an index."""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# Lists ask for a status, the kind seldom. What a policy and a filter look at lies in them too, so
# that to skip rows, to count and to add up needs no look at the rows themselves.
_BY_MONEY = """
DROP INDEX decision_money;
CREATE INDEX decision_by_money ON decision (status, value_cents DESC, number)
    INCLUDE (kind, place);
CREATE INDEX decision_at ON decision (place, status, value_cents DESC, number) INCLUDE (kind);
"""


def upgrade() -> None:
    """Put two indices in the place of the one by kind."""
    op.execute(_BY_MONEY)
