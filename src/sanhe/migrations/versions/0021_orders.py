"""Orders of every channel, with what holds their stock, their payments and refunds."""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_ORDERS = """
CREATE TABLE sales_order (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    channel text NOT NULL CHECK (channel <> ''),
    place text NOT NULL CHECK (place <> ''),
    method text NOT NULL CHECK (method IN ('carry', 'pickup', 'courier')),
    member text,
    currency text NOT NULL,
    goods_cents bigint NOT NULL CHECK (goods_cents >= 0),
    tax_cents bigint CHECK (tax_cents >= 0),
    delivery_cents bigint NOT NULL CHECK (delivery_cents >= 0),
    total_cents bigint NOT NULL CHECK (total_cents = goods_cents + delivery_cents),
    paid_cents bigint NOT NULL DEFAULT 0 CHECK (paid_cents IN (0, total_cents)),
    refund_cents bigint NOT NULL DEFAULT 0 CHECK (refund_cents BETWEEN 0 AND paid_cents),
    state text NOT NULL
        CHECK (state IN ('placed', 'paid', 'complete', 'cancelled', 'expired')),
    placed_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL CHECK (expires_at >= placed_at),
    paid_at timestamptz,
    closed_at timestamptz,
    ready_at timestamptz,
    arrives_at timestamptz,
    latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    recipient bytea,
    why jsonb NOT NULL,
    holds uuid[] NOT NULL
);
CREATE INDEX sales_order_due ON sales_order (expires_at) WHERE state = 'placed';
CREATE INDEX sales_order_at_place ON sales_order (place, placed_at);
CREATE INDEX sales_order_placed ON sales_order (placed_at, number);
CREATE INDEX sales_order_of_member ON sales_order (member) WHERE member IS NOT NULL;

CREATE TABLE sales_order_line (
    order_id uuid NOT NULL REFERENCES sales_order,
    line int NOT NULL CHECK (line >= 0),
    sku text NOT NULL CHECK (sku <> ''),
    name text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    price_cents bigint NOT NULL CHECK (price_cents >= 0),
    per_units bigint NOT NULL CHECK (per_units > 0),
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    tax_cents bigint CHECK (tax_cents BETWEEN 0 AND amount_cents),
    custom jsonb NOT NULL,
    handed bigint NOT NULL DEFAULT 0 CHECK (handed >= 0),
    handed_cents bigint NOT NULL DEFAULT 0 CHECK (handed_cents BETWEEN 0 AND amount_cents),
    cancelled bigint NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
    returned bigint NOT NULL DEFAULT 0 CHECK (returned BETWEEN 0 AND handed),
    returned_cents bigint NOT NULL DEFAULT 0 CHECK (returned_cents BETWEEN 0 AND handed_cents),
    PRIMARY KEY (order_id, line),
    CHECK (handed + cancelled <= quantity)
);
CREATE INDEX sales_order_line_sku ON sales_order_line (sku);

-- What one place gives for a line: `units` of the line, `each` base units of `sku` for one of
-- them (a bundle has a part for each component).
CREATE TABLE sales_order_part (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL,
    line int NOT NULL,
    place text NOT NULL CHECK (place <> ''),
    sku text NOT NULL CHECK (sku <> ''),
    units bigint NOT NULL CHECK (units > 0),
    each bigint NOT NULL CHECK (each > 0),
    handed bigint NOT NULL DEFAULT 0 CHECK (handed >= 0),
    cancelled bigint NOT NULL DEFAULT 0 CHECK (cancelled >= 0),
    FOREIGN KEY (order_id, line) REFERENCES sales_order_line,
    UNIQUE (order_id, line, place, sku),
    CHECK (handed + cancelled <= units)
);
CREATE INDEX sales_order_part_at_place ON sales_order_part (place, sku);

-- Units of a line that left a place together; told as facts of sale afterwards, once.
CREATE TABLE sales_handover (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL,
    line int NOT NULL,
    place text NOT NULL CHECK (place <> ''),
    units bigint NOT NULL CHECK (units > 0),
    amount_cents bigint NOT NULL CHECK (amount_cents >= 0),
    at timestamptz NOT NULL,
    told_at timestamptz,
    FOREIGN KEY (order_id, line) REFERENCES sales_order_line
);
CREATE INDEX sales_handover_of ON sales_handover (order_id);
CREATE INDEX sales_handover_untold ON sales_handover (number) WHERE told_at IS NULL;

CREATE TABLE sales_order_event (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES sales_order,
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    kind text NOT NULL CHECK (kind <> ''),
    details jsonb NOT NULL
);
CREATE INDEX sales_order_event_of ON sales_order_event (order_id, number);
CREATE TRIGGER sales_order_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON sales_order_event FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();

CREATE TABLE sales_payment (
    provider text NOT NULL CHECK (provider <> ''),
    reference text NOT NULL CHECK (reference <> ''),
    order_id uuid NOT NULL REFERENCES sales_order,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    currency text NOT NULL,
    outcome text NOT NULL
        CHECK (outcome IN ('taken', 'late', 'twice', 'differs', 'closed')),
    paid_at timestamptz NOT NULL,
    told_at timestamptz NOT NULL,
    PRIMARY KEY (provider, reference)
);
CREATE UNIQUE INDEX sales_payment_taken ON sales_payment (order_id) WHERE outcome = 'taken';
CREATE INDEX sales_payment_of ON sales_payment (order_id);

CREATE TABLE sales_refund (
    id uuid PRIMARY KEY,
    order_id uuid NOT NULL REFERENCES sales_order,
    provider text NOT NULL,
    reference text NOT NULL,
    amount_cents bigint NOT NULL CHECK (amount_cents > 0),
    currency text NOT NULL,
    reason text NOT NULL CHECK (reason <> ''),
    asked_at timestamptz NOT NULL,
    done_at timestamptz,
    FOREIGN KEY (provider, reference) REFERENCES sales_payment
);
CREATE INDEX sales_refund_of ON sales_refund (order_id);
CREATE INDEX sales_refund_open ON sales_refund (asked_at) WHERE done_at IS NULL;

GRANT SELECT, INSERT ON sales_order, sales_order_line, sales_order_part, sales_handover,
    sales_order_event, sales_payment, sales_refund TO sanhe_app;
GRANT UPDATE (paid_cents, refund_cents, state, paid_at, closed_at, recipient)
    ON sales_order TO sanhe_app;
GRANT UPDATE (handed, handed_cents, cancelled, returned, returned_cents)
    ON sales_order_line TO sanhe_app;
GRANT UPDATE (units, handed, cancelled) ON sales_order_part TO sanhe_app;
GRANT UPDATE (told_at) ON sales_handover TO sanhe_app;
GRANT UPDATE (done_at) ON sales_refund TO sanhe_app;
"""

_ALL = "(SELECT current_setting('sanhe.places', true) = '*')"
_INSIDE = "(SELECT current_setting('sanhe.suppliers', true) = '*')"
_AT = f"({_ALL} OR place IN (SELECT unnest(sanhe_codes('sanhe.places'))))"
_ORDER = (
    f"({_INSIDE} AND ({_AT} OR EXISTS "
    "(SELECT FROM sales_order_part AS its WHERE its.order_id = sales_order.id)))"
)


def _its_order(table: str) -> str:
    return (
        f"({_INSIDE} AND ({_ALL} OR EXISTS "
        f"(SELECT FROM sales_order AS its WHERE its.id = {table}.order_id)))"
    )


GUARDED = {
    "sales_order": _ORDER,
    "sales_order_line": _its_order("sales_order_line"),
    "sales_order_part": f"({_INSIDE} AND {_AT})",
    "sales_handover": f"({_INSIDE} AND {_AT})",
    "sales_order_event": _its_order("sales_order_event"),
    "sales_payment": _its_order("sales_payment"),
    "sales_refund": _its_order("sales_refund"),
}
"""Each guarded table and the rows of it that are seen: an order by the places that give for it."""

_COMPONENTS = "ALTER TABLE item_description ADD COLUMN components text"


def upgrade() -> None:
    """Add the tables, guard them, and let an SKU be a bundle of others."""
    op.execute(_ORDERS)
    op.execute(_COMPONENTS)
    for table, seen in GUARDED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scoped ON {table} USING {seen}")
