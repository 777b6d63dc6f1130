"""Devices: the tills with their keys and heads, their events as signed, what was wrong."""

from __future__ import annotations

from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# `told` is the last event whose facts are recorded; it follows the head.
_TABLES = """
CREATE TABLE device (
    id text COLLATE "C" PRIMARY KEY CHECK (id <> ''),
    place text COLLATE "C" NOT NULL CHECK (place <> ''),
    name text NOT NULL,
    public_key bytea NOT NULL UNIQUE CHECK (length(public_key) = 32),
    state text NOT NULL CHECK (state IN ('active', 'blocked')),
    sequence bigint NOT NULL CHECK (sequence >= 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    told bigint NOT NULL CHECK (told BETWEEN 0 AND sequence),
    registered_at timestamptz NOT NULL,
    seen_at timestamptz,
    blocked_why text NOT NULL DEFAULT '',
    CHECK ((state = 'blocked') = (blocked_why <> ''))
);
CREATE TABLE device_event (
    device text COLLATE "C" NOT NULL REFERENCES device,
    sequence bigint NOT NULL CHECK (sequence > 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    received_at timestamptz NOT NULL,
    payload text NOT NULL,
    signature bytea NOT NULL,
    PRIMARY KEY (device, sequence)
);
CREATE TABLE device_problem (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    device text COLLATE "C" NOT NULL REFERENCES device,
    sequence bigint,
    why text NOT NULL CHECK (why <> ''),
    at timestamptz NOT NULL,
    payload text,
    signature bytea
);
CREATE INDEX device_problem_of ON device_problem (device, number);
CREATE TRIGGER device_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON device_event FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();
CREATE TRIGGER device_problem_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON device_problem FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();
GRANT SELECT, INSERT, UPDATE ON device TO sanhe_app;
GRANT SELECT, INSERT ON device_event, device_problem TO sanhe_app;
"""

# Seen at its place, by who works for the retailer; see 0014.
_AT_ITS_PLACE = (
    "(SELECT current_setting('sanhe.suppliers', true) = '*') "
    "AND ((SELECT current_setting('sanhe.places', true) = '*') "
    "OR place IN (SELECT unnest(sanhe_codes('sanhe.places'))))"
)
_WITH_ITS_DEVICE = (
    "((SELECT current_setting('sanhe.places', true) = '*' "
    "AND current_setting('sanhe.suppliers', true) = '*') "
    "OR EXISTS (SELECT FROM device AS its WHERE its.id = device))"
)


def upgrade() -> None:
    """Make the tables and guard their rows."""
    op.get_bind().exec_driver_sql(_TABLES)
    guarded = {
        "device": _AT_ITS_PLACE,
        "device_event": _WITH_ITS_DEVICE.replace("= device)", "= device_event.device)"),
        "device_problem": _WITH_ITS_DEVICE.replace("= device)", "= device_problem.device)"),
    }
    for table, seen in guarded.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.get_bind().exec_driver_sql(f"CREATE POLICY scoped ON {table} USING ({seen})")
