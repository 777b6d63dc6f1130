"""Shipments of paid orders, one for each place, and their courier bookings."""

from __future__ import annotations

from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None

_TABLES = """
ALTER TABLE sales_order ADD COLUMN taken_up_at timestamptz;
CREATE INDEX sales_order_to_take_up ON sales_order (placed_at, id)
    WHERE state = 'paid' AND taken_up_at IS NULL AND method <> 'carry';
GRANT UPDATE (taken_up_at) ON sales_order TO sanhe_app;

CREATE TABLE shipment (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    order_id uuid NOT NULL REFERENCES sales_order,
    place text NOT NULL CHECK (place <> ''),
    method text NOT NULL CHECK (method IN ('pickup', 'courier')),
    state text NOT NULL CHECK (state IN
        ('picking', 'ready', 'away', 'handed', 'delivered', 'returned', 'cancelled', 'released')),
    due_at timestamptz NOT NULL,
    opened_at timestamptz NOT NULL,
    ready_at timestamptz,
    away_at timestamptz,
    closed_at timestamptz,
    fetch_until timestamptz,
    code_salt bytea,
    code_hash bytea,
    code_busy_until timestamptz,
    CHECK ((code_salt IS NULL) = (code_hash IS NULL))
);
CREATE INDEX shipment_of ON shipment (order_id);
CREATE INDEX shipment_at_place ON shipment (place, opened_at);
CREATE INDEX shipment_to_fetch ON shipment (fetch_until) WHERE state = 'ready';
CREATE INDEX shipment_to_book ON shipment (ready_at) WHERE state = 'ready' AND method = 'courier';

CREATE TABLE shipment_line (
    shipment_id uuid NOT NULL REFERENCES shipment,
    line int NOT NULL,
    units bigint NOT NULL CHECK (units >= 0),
    picked bigint CHECK (picked BETWEEN 0 AND units),
    PRIMARY KEY (shipment_id, line)
);

CREATE TABLE courier_booking (
    id uuid PRIMARY KEY,
    shipment_id uuid NOT NULL REFERENCES shipment,
    place text NOT NULL CHECK (place <> ''),
    courier text NOT NULL CHECK (courier <> ''),
    attempt int NOT NULL CHECK (attempt > 0),
    state text NOT NULL CHECK (state IN ('asked', 'accepted', 'collected', 'delivered',
        'returned', 'rejected', 'silent', 'cancelled')),
    asked_at timestamptz NOT NULL,
    answer_by timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    UNIQUE (shipment_id, attempt)
);
CREATE UNIQUE INDEX courier_booking_live ON courier_booking (shipment_id)
    WHERE state IN ('asked', 'accepted', 'collected', 'delivered', 'returned');
CREATE INDEX courier_booking_open ON courier_booking (asked_at)
    WHERE state IN ('asked', 'accepted', 'collected');

GRANT SELECT, INSERT ON shipment, shipment_line, courier_booking TO sanhe_app;
GRANT UPDATE (state, ready_at, away_at, closed_at, fetch_until, code_salt, code_hash,
    code_busy_until) ON shipment TO sanhe_app;
GRANT UPDATE (units, picked) ON shipment_line TO sanhe_app;
GRANT UPDATE (state, changed_at) ON courier_booking TO sanhe_app;
"""

_ALL = "(SELECT current_setting('sanhe.places', true) = '*')"
_INSIDE = "(SELECT current_setting('sanhe.suppliers', true) = '*')"
_AT = f"({_INSIDE} AND ({_ALL} OR place IN (SELECT unnest(sanhe_codes('sanhe.places')))))"

GUARDED = {
    "shipment": _AT,
    "shipment_line": (
        f"({_INSIDE} AND ({_ALL} OR EXISTS "
        "(SELECT FROM shipment AS its WHERE its.id = shipment_line.shipment_id)))"
    ),
    "courier_booking": _AT,
}
"""Each guarded table and the rows of it that are seen: a shipment by the place that sends it."""


def upgrade() -> None:
    """Add the tables and guard them."""
    op.execute(_TABLES)
    for table, seen in GUARDED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scoped ON {table} USING {seen}")
