"""Which channels have stock set aside, where."""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

# The amounts lie on the ledger; a row is added with the first one and stays.
_QUOTAS = """
CREATE TABLE stock_quota (
    place text COLLATE "C" NOT NULL,
    sku text COLLATE "C" NOT NULL,
    channel text COLLATE "C" NOT NULL CHECK (channel <> ''),
    PRIMARY KEY (place, sku, channel)
);
GRANT SELECT, INSERT ON stock_quota TO sanhe_app;
"""

# As in 0014: seen by who works for the retailer and sees the place.
_SEEN = (
    "(SELECT current_setting('sanhe.suppliers', true) = '*') "
    "AND ((SELECT current_setting('sanhe.places', true) = '*') "
    "OR place IN (SELECT unnest(sanhe_codes('sanhe.places'))))"
)


def upgrade() -> None:
    """The table of quotas, guarded by place."""
    op.execute(_QUOTAS)
    op.execute("ALTER TABLE stock_quota ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE stock_quota FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scoped ON stock_quota USING ({_SEEN})")
