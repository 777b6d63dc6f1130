"""Where places lie, and how stores serve orders."""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_COORDINATES = """
ALTER TABLE place
    ADD COLUMN latitude double precision,
    ADD COLUMN longitude double precision,
    ADD CONSTRAINT place_is_a_point CHECK (
        (latitude IS NULL) = (longitude IS NULL)
        AND latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180
    );
"""

_STORES = """
CREATE TABLE store_description (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    place text COLLATE "C" NOT NULL,
    hours text NOT NULL,
    pick_capacity_per_hour bigint NOT NULL,
    pick_minutes bigint,
    service_radius_metres bigint,
    channels text,
    safety_units bigint,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX store_description_place ON store_description (place);
CREATE TABLE courier_offer (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    place text COLLATE "C" NOT NULL,
    courier text NOT NULL,
    base_fee_cents bigint NOT NULL,
    per_km_cents bigint,
    speed_km_per_hour double precision NOT NULL,
    collect_minutes bigint,
    cut_off text,
    radius_metres bigint,
    offered boolean NOT NULL,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX courier_offer_place ON courier_offer (place);
GRANT SELECT, INSERT, UPDATE, DELETE ON store_description, courier_offer TO sanhe_app;
"""

# As in 0014: seen by who works for the retailer and sees the place.
_SEEN = (
    "(SELECT current_setting('sanhe.suppliers', true) = '*') "
    "AND ((SELECT current_setting('sanhe.places', true) = '*') "
    "OR place IN (SELECT unnest(sanhe_codes('sanhe.places'))))"
)


def upgrade() -> None:
    """Coordinates of places; tables of stores and couriers, guarded by place."""
    op.execute(_COORDINATES)
    op.execute(_STORES)
    for table in ("store_description", "courier_offer"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scoped ON {table} USING ({_SEEN})")
