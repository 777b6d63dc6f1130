"""The last day of sale that a count or receipt names, beside its lot in the stock's entries."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# The index holds nothing for a retailer who names no expiry.
_EXPIRES = """
ALTER TABLE stock_entry ADD COLUMN expires date;
CREATE INDEX stock_entry_dated ON stock_entry (sku, lot) WHERE live AND expires IS NOT NULL;
"""

# Facts recorded before: of each the highest revision that stands.
_EARLIER = """
UPDATE stock_entry AS e SET expires = (held.payload->>'expires')::date
FROM (
    SELECT DISTINCT ON (external_id, source, type) *
    FROM (
        SELECT DISTINCT ON (external_id, source, type, revision)
            external_id, source, type, revision, stands, payload
        FROM fact
        WHERE type IN ('stock.counted', 'purchase.received')
        ORDER BY external_id, source, type, revision, entry DESC
    ) AS last
    WHERE stands
    ORDER BY external_id, source, type, revision DESC
) AS held
WHERE e.live AND held.payload->>'expires' IS NOT NULL
    AND (e.external_id, e.source, e.type) = (held.external_id, held.source, held.type);
"""


def upgrade() -> None:
    """Add the column and fill it from the facts already recorded."""
    op.execute(_EXPIRES)
    op.execute(_EARLIER)
