"""Couriers are booked to fetch returns at the door as well."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BOOKINGS = """
ALTER TABLE courier_booking ALTER COLUMN shipment_id DROP NOT NULL;
ALTER TABLE courier_booking ADD COLUMN return_id uuid REFERENCES sales_return;
ALTER TABLE courier_booking ADD CONSTRAINT courier_booking_of_one
    CHECK (num_nonnulls(shipment_id, return_id) = 1);
CREATE UNIQUE INDEX courier_booking_of_return ON courier_booking (return_id, attempt);
CREATE UNIQUE INDEX courier_booking_live_return ON courier_booking (return_id)
    WHERE state IN ('asked', 'accepted', 'collected', 'delivered', 'returned');
CREATE INDEX sales_return_to_fetch ON sales_return (asked_at)
    WHERE state = 'asked' AND way = 'courier';
"""


def upgrade() -> None:
    """A booking is for a shipment or for a return."""
    op.execute(_BOOKINGS)
