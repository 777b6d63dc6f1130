"""Catalogue, stock entries, suppliers and purchase orders."""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A projection keeps the current facts of its types as typed rows, keyed as the facts are. Which
# of several facts about one SKU counts is decided when reading, so no order of arrival matters.
# What is joined or compared with a fact's columns has their collation.
_CATALOG = """
CREATE TABLE item_description (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    sku text COLLATE "C" NOT NULL,
    name text NOT NULL,
    category text,
    gtin text COLLATE "C",
    base_unit text,
    pack bigint,
    case_size bigint,
    shelf_life_days bigint,
    variant_of text COLLATE "C",
    attributes text,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX item_description_sku ON item_description (sku);
CREATE INDEX item_description_variant_of ON item_description (variant_of);
CREATE TABLE price_setting (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    sku text COLLATE "C" NOT NULL,
    place text COLLATE "C",
    price_cents bigint NOT NULL,
    currency text COLLATE "C",
    per_units bigint NOT NULL,
    tax_included boolean,
    tax_rate double precision,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX price_setting_sku ON price_setting (sku, day);
GRANT SELECT, INSERT, UPDATE, DELETE ON item_description, price_setting TO sanhe_app;
"""

# stock_entry: what each current fact has put on the ledger. A row stays when its fact is
# retracted (live = false, amount 0), as `postings` numbers the ledger transfers of that fact.
_STOCK = """
CREATE TABLE stock_entry (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    sku text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    type text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    quantity bigint NOT NULL,
    lot text COLLATE "C" NOT NULL,
    reason text NOT NULL,
    amount bigint NOT NULL,
    live boolean NOT NULL,
    postings integer NOT NULL,
    PRIMARY KEY (external_id, source, type, sku, place)
);
CREATE INDEX stock_entry_card ON stock_entry (sku, place, event_at);
CREATE INDEX stock_entry_count ON stock_entry (sku, place, event_at)
    WHERE type = 'stock.counted' AND live;
CREATE TABLE stock_position (
    sku text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    net bigint NOT NULL,
    known_since timestamptz,
    counted_at timestamptz,
    shifts integer NOT NULL,
    PRIMARY KEY (sku, place)
);
GRANT SELECT, INSERT, UPDATE ON stock_entry, stock_position TO sanhe_app;
"""

_SUPPLIERS = """
CREATE TABLE supplier_description (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    supplier text COLLATE "C" NOT NULL,
    name text NOT NULL,
    order_weekdays text,
    minimum_order_cents bigint,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX supplier_description_supplier ON supplier_description (supplier);
CREATE TABLE supply_agreement (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    sku text COLLATE "C" NOT NULL,
    place text COLLATE "C",
    supplier text COLLATE "C" NOT NULL,
    unit_cost_cents bigint,
    cost_per_case_cents bigint,
    currency text COLLATE "C",
    lead_time_days bigint,
    moq bigint,
    case_size bigint,
    priority bigint NOT NULL,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX supply_agreement_sku ON supply_agreement (sku);
CREATE TABLE purchase_outside (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    order_name text COLLATE "C" NOT NULL,
    line text COLLATE "C",
    sku text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    supplier text COLLATE "C",
    quantity bigint NOT NULL,
    due date,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX purchase_outside_order ON purchase_outside (order_name);
CREATE TABLE purchase_receipt (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    order_name text COLLATE "C" NOT NULL,
    line text COLLATE "C",
    sku text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    supplier text COLLATE "C",
    quantity bigint NOT NULL,
    lot text COLLATE "C",
    expires date,
    PRIMARY KEY (external_id, source)
);
CREATE INDEX purchase_receipt_order ON purchase_receipt (order_name);
CREATE TABLE purchase_closure (
    external_id text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    event_at timestamptz NOT NULL,
    day date NOT NULL,
    order_name text COLLATE "C" NOT NULL,
    sku text COLLATE "C",
    place text COLLATE "C",
    PRIMARY KEY (external_id, source)
);
CREATE INDEX purchase_closure_order ON purchase_closure (order_name);
GRANT SELECT, INSERT, UPDATE, DELETE ON supplier_description, supply_agreement,
    purchase_outside, purchase_receipt, purchase_closure TO sanhe_app;
"""

# Our own orders: header and lines never change; what happens to an order is an event.
_ORDERS = """
CREATE SEQUENCE purchase_order_number;
CREATE TABLE purchase_order (
    name text COLLATE "C" PRIMARY KEY,
    supplier text COLLATE "C" NOT NULL,
    supplier_name text NOT NULL,
    place text COLLATE "C" NOT NULL,
    ordered_on date NOT NULL,
    due date NOT NULL,
    currency text COLLATE "C" NOT NULL,
    run uuid NOT NULL,
    minimum_order_cents bigint,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL
);
CREATE INDEX purchase_order_run ON purchase_order (run);
CREATE TABLE purchase_order_line (
    order_name text COLLATE "C" NOT NULL REFERENCES purchase_order,
    line integer NOT NULL CHECK (line > 0),
    sku text COLLATE "C" NOT NULL,
    name text NOT NULL,
    quantity bigint NOT NULL CHECK (quantity > 0),
    case_size bigint,
    unit_cost_cents bigint,
    cost_per_case_cents bigint,
    cost_cents bigint,
    decision bigint UNIQUE,
    PRIMARY KEY (order_name, line)
);
CREATE INDEX purchase_order_line_sku ON purchase_order_line (sku);
CREATE TABLE purchase_order_event (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_name text COLLATE "C" NOT NULL REFERENCES purchase_order,
    status text NOT NULL CHECK (status IN ('sent', 'cancelled')),
    at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    UNIQUE (order_name, status)
);
GRANT SELECT, INSERT ON purchase_order, purchase_order_line, purchase_order_event TO sanhe_app;
GRANT USAGE ON SEQUENCE purchase_order_number TO sanhe_app;
"""

# One row per order line, ours or outside; what arrived is given to the lines of an SKU in an
# order by due date. An outside order with the number, place and supplier of one of ours echoes it
# and is left out; with another place or supplier it is an order of its own. An outside order that
# several systems report is read from the one that reported it last.
_LINES = """
CREATE VIEW purchase_line WITH (security_invoker = true) AS
WITH outside AS (
    SELECT p.* FROM purchase_outside AS p
    WHERE NOT EXISTS (
        SELECT 1 FROM purchase_order AS o
        WHERE o.name = p.order_name AND o.place = p.place
            AND o.supplier = coalesce(p.supplier, o.supplier)
    )
),
reporter AS (
    SELECT DISTINCT ON (order_name) order_name, source
    FROM outside
    ORDER BY order_name, event_at DESC, source DESC
),
line AS (
    SELECT
        o.name AS order_name, l.line::text COLLATE "C" AS line, l.sku, o.place, o.supplier,
        l.quantity, o.ordered_on, o.due, l.decision, true AS own,
        lpad(l.line::text, 20, '0') COLLATE "C" AS line_order,
        EXISTS (
            SELECT 1 FROM purchase_order_event AS e
            WHERE e.order_name = o.name AND e.status = 'cancelled'
        ) AS cancelled
    FROM purchase_order AS o JOIN purchase_order_line AS l ON l.order_name = o.name
    UNION ALL
    SELECT
        p.order_name, coalesce(p.line, p.external_id), p.sku, p.place, p.supplier, p.quantity,
        p.day, p.due, NULL, false,
        (lpad(coalesce(p.line, ''), 20, '0') || '/' || p.external_id) COLLATE "C", false
    FROM outside AS p JOIN reporter AS r USING (order_name, source)
),
summed AS (
    SELECT line.*, sum(quantity) OVER (
        PARTITION BY order_name, sku, place
        ORDER BY due NULLS LAST, line_order ROWS UNBOUNDED PRECEDING
    )::bigint AS running,
    sum(quantity) OVER (PARTITION BY order_name, sku, place)::bigint AS whole
    FROM line
),
arrived AS (
    SELECT order_name, sku, place, sum(quantity)::bigint AS quantity,
        min(day) AS first_day, max(day) AS last_day
    FROM purchase_receipt GROUP BY order_name, sku, place
)
SELECT
    s.order_name, s.line, s.line_order, s.sku, s.place, s.supplier, s.ordered_on, s.due,
    s.decision, s.own, s.quantity AS ordered,
    -- The last line of an SKU takes what came too much.
    CASE
        WHEN s.running = s.whole
        THEN greatest(coalesce(a.quantity, 0) - (s.running - s.quantity), 0)
        ELSE greatest(least(coalesce(a.quantity, 0) - (s.running - s.quantity), s.quantity), 0)
    END AS received,
    a.first_day, a.last_day,
    s.cancelled OR EXISTS (
        SELECT 1 FROM purchase_closure AS c
        WHERE c.order_name = s.order_name
            AND (c.sku IS NULL OR c.sku = s.sku) AND (c.place IS NULL OR c.place = s.place)
    ) AS closed
FROM summed AS s LEFT JOIN arrived AS a USING (order_name, sku, place);
GRANT SELECT ON purchase_line TO sanhe_app;
"""


def upgrade() -> None:
    """Catalogue, stock entries, suppliers and purchase orders."""
    for statements in (_CATALOG, _STOCK, _SUPPLIERS, _ORDERS, _LINES):
        op.execute(statements)
