"""Orders that one place fills for another, and what left for them."""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_TRANSFERS = """
ALTER TABLE purchase_order ADD COLUMN transfer boolean NOT NULL DEFAULT false;
CREATE TABLE transfer_departure (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    order_name text COLLATE "C" NOT NULL,
    sku text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    quantity bigint NOT NULL,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX transfer_departure_order ON transfer_departure (order_name);
GRANT SELECT, INSERT, UPDATE, DELETE ON transfer_departure TO sanhe_app;
"""

# Facts recorded before: of each the highest revision that stands.
_EARLIER = """
INSERT INTO transfer_departure
SELECT external_id, source, event_at, day, payload->>'order', sku, place, -quantity
FROM (
    SELECT DISTINCT ON (external_id, source, type) *
    FROM (
        SELECT DISTINCT ON (external_id, source, type, revision) *
        FROM fact WHERE type = 'stock.moved'
        ORDER BY external_id, source, type, revision, entry DESC
    ) AS last
    WHERE stands
    ORDER BY external_id, source, type, revision DESC
) AS held
WHERE payload->>'order' IS NOT NULL;
"""


def upgrade() -> None:
    """Mark orders that are transfers, and keep the departures that name their order."""
    op.execute(_TRANSFERS)
    op.execute(_EARLIER)
