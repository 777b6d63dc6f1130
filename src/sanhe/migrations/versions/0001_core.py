"""Facts, the audit trail, places and the lake's state."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# fact.part names the append (one call in one transaction) that wrote the row. Its number, not a
# number per row, carries the transaction's id, so that a restore into another cluster has few
# rows to settle. BRIN fits part, as rows of a part lie together.
_FACTS = """
CREATE TABLE fact_batch (
    id uuid PRIMARY KEY,
    number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    kind text NOT NULL CHECK (kind IN ('import', 'undo')),
    source text NOT NULL,
    name text NOT NULL,
    digest text NOT NULL,
    actor text NOT NULL,
    begun_at timestamptz NOT NULL,
    undoes uuid UNIQUE REFERENCES fact_batch,
    CHECK ((kind = 'undo') = (undoes IS NOT NULL))
);
CREATE SEQUENCE fact_part_number;
CREATE TABLE fact_part (
    number bigint PRIMARY KEY,
    batch uuid NOT NULL REFERENCES fact_batch,
    types text[] NOT NULL,
    xid bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    new bigint NOT NULL,
    repeated bigint NOT NULL,
    rejected bigint NOT NULL
);
CREATE INDEX fact_part_batch ON fact_part (batch);
CREATE INDEX fact_part_xid ON fact_part (xid);
CREATE TABLE fact (
    part bigint NOT NULL,
    revision integer NOT NULL CHECK (revision >= 0),
    entry integer NOT NULL CHECK (entry >= 0),
    stands boolean NOT NULL,
    day date NOT NULL,
    event_at timestamptz NOT NULL,
    quantity bigint,
    amount_cents bigint,
    type text COLLATE "C" NOT NULL,
    source text COLLATE "C" NOT NULL,
    external_id text COLLATE "C" NOT NULL,
    sku text COLLATE "C",
    place text COLLATE "C",
    party text COLLATE "C",
    currency text,
    payload json NOT NULL
);
CREATE UNIQUE INDEX fact_key ON fact (external_id, source, revision, entry);
CREATE INDEX fact_part_rows ON fact USING brin (part) WITH (pages_per_range = 32);
CREATE VIEW fact_current WITH (security_invoker = true) AS
SELECT DISTINCT ON (external_id, source, type)
    type, source, external_id, revision, event_at, day, sku, place, party,
    quantity, amount_cents, currency, payload
FROM (
    SELECT DISTINCT ON (external_id, source, type, revision) *
    FROM fact
    ORDER BY external_id, source, type, revision, entry DESC
) AS last
WHERE stands
ORDER BY external_id, source, type, revision DESC;
GRANT SELECT, INSERT ON fact_batch, fact_part, fact TO sanhe_app;
GRANT SELECT ON fact_current TO sanhe_app;
GRANT USAGE ON SEQUENCE fact_part_number TO sanhe_app;
"""

# The lake remembers which installation it was filled from. A restore draws a new id, as the
# numbers of transactions begin anew there.
_INSTALLATION = """
CREATE TABLE installation (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row)
);
INSERT INTO installation DEFAULT VALUES;
GRANT SELECT ON installation TO sanhe_app;
"""

_AUDIT = """
CREATE TABLE audit_event (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> ''),
    action text NOT NULL CHECK (action <> ''),
    subject text NOT NULL,
    details jsonb NOT NULL
);
CREATE INDEX audit_event_subject ON audit_event (subject, number);
GRANT SELECT, INSERT ON audit_event TO sanhe_app;
"""

_PLACES = """
CREATE TABLE place (
    id text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    parent text,
    time_zone text,
    cut_off time NOT NULL DEFAULT '00:00',
    city text,
    region text
);
CREATE TABLE holiday (
    number integer PRIMARY KEY,
    day date NOT NULL,
    place text,
    name text NOT NULL,
    kind text NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON place, holiday TO sanhe_app;
"""


def upgrade() -> None:
    """Facts, the audit trail, places and the lake's state."""
    op.execute("GRANT SELECT ON alembic_version TO sanhe_app")
    for statements in (_FACTS, _INSTALLATION, _AUDIT, _PLACES):
        op.execute(statements)
