"""Returns of handed-over goods: asked for, received, inspected."""

from __future__ import annotations

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE sales_return (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    order_id uuid NOT NULL REFERENCES sales_order,
    way text NOT NULL CHECK (way IN ('store', 'courier')),
    place text CHECK (place <> ''),
    state text NOT NULL CHECK (state IN ('asked', 'received', 'inspected', 'dropped')),
    reason text NOT NULL CHECK (reason <> ''),
    asked_at timestamptz NOT NULL,
    received_at timestamptz,
    closed_at timestamptz,
    refund_id uuid REFERENCES sales_refund,
    CHECK (place IS NOT NULL OR state IN ('asked', 'dropped'))
);
CREATE INDEX sales_return_of ON sales_return (order_id);
CREATE INDEX sales_return_listed ON sales_return (asked_at, number);

CREATE TABLE sales_return_line (
    return_id uuid NOT NULL REFERENCES sales_return,
    line int NOT NULL,
    units bigint NOT NULL CHECK (units > 0),
    received bigint CHECK (received BETWEEN 0 AND units),
    sellable bigint NOT NULL DEFAULT 0 CHECK (sellable >= 0),
    outlet bigint NOT NULL DEFAULT 0 CHECK (outlet >= 0),
    waste bigint NOT NULL DEFAULT 0 CHECK (waste >= 0),
    amount_cents bigint NOT NULL DEFAULT 0 CHECK (amount_cents >= 0),
    PRIMARY KEY (return_id, line),
    CHECK (sellable + outlet + waste <= coalesce(received, 0))
);

GRANT SELECT, INSERT ON sales_return, sales_return_line TO sanhe_app;
GRANT UPDATE (place, state, received_at, closed_at, refund_id) ON sales_return TO sanhe_app;
GRANT UPDATE (received, sellable, outlet, waste, amount_cents) ON sales_return_line TO sanhe_app;
"""

_ALL = "(SELECT current_setting('sanhe.places', true) = '*')"
_INSIDE = "(SELECT current_setting('sanhe.suppliers', true) = '*')"
_AT = "place IN (SELECT unnest(sanhe_codes('sanhe.places')))"

GUARDED = {
    "sales_return": (
        f"({_INSIDE} AND ({_ALL} OR {_AT} OR EXISTS "
        "(SELECT FROM sales_order AS its WHERE its.id = sales_return.order_id)))"
    ),
    "sales_return_line": (
        f"({_INSIDE} AND ({_ALL} OR EXISTS "
        "(SELECT FROM sales_return AS its WHERE its.id = sales_return_line.return_id)))"
    ),
}
"""Each guarded table and the rows of it that are seen: a return by its order, and by the place
that has it."""


def upgrade() -> None:
    """Add the tables and guard them."""
    op.execute(_TABLES)
    for table, seen in GUARDED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scoped ON {table} USING {seen}")
