"""What a delivery carries, what a case takes of it, and the least number of cases of an order."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_LIMITS = """
ALTER TABLE supplier_description
    ADD COLUMN minimum_order_cases bigint,
    ADD COLUMN truck_grams bigint,
    ADD COLUMN truck_ml bigint;
ALTER TABLE supply_agreement
    ADD COLUMN case_grams bigint,
    ADD COLUMN case_ml bigint,
    ADD COLUMN cases_per_pallet bigint;
"""


def upgrade() -> None:
    """Add the columns; facts recorded before name none of them."""
    op.execute(_LIMITS)
