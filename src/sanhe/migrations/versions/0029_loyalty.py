"""Loyalty: what happened to points and stored value, lots of points, tiers of members."""

from __future__ import annotations

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

# An entry is the ledger's transfer of its id with the caller's names; the amounts are the
# ledger's. A lot is looked at again after a day on which some of it was still held.
_TABLES = """
CREATE TABLE loyalty_entry (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    purse text NOT NULL CHECK (purse IN ('points', 'stored')),
    member text COLLATE "C" NOT NULL CHECK (member <> ''),
    kind text NOT NULL CHECK (kind IN ('earned', 'held', 'given_back', 'taken_back', 'removed',
        'expired', 'settled')),
    cause text COLLATE "C" NOT NULL CHECK (cause <> ''),
    step text NOT NULL,
    lot text NOT NULL CHECK (lot <> ''),
    origin text NOT NULL CHECK (origin <> ''),
    amount bigint NOT NULL CHECK (amount > 0),
    at timestamptz NOT NULL,
    note text NOT NULL,
    actor text NOT NULL
);
CREATE INDEX loyalty_entry_listed ON loyalty_entry (member, purse, number);
CREATE INDEX loyalty_entry_of_cause ON loyalty_entry (member, cause);

CREATE TABLE points_lot (
    member text COLLATE "C" NOT NULL CHECK (member <> ''),
    expires_on date NOT NULL,
    is_open boolean NOT NULL DEFAULT true,
    swept_on date,
    PRIMARY KEY (member, expires_on)
);
CREATE INDEX points_lot_over ON points_lot (expires_on, member) WHERE is_open;

CREATE TABLE member_standing (
    member text COLLATE "C" PRIMARY KEY CHECK (member <> ''),
    tier text NOT NULL CHECK (tier <> ''),
    since date NOT NULL,
    until date CHECK (until >= since),
    joined_at timestamptz NOT NULL,
    is_due boolean NOT NULL,
    look_on date
);
CREATE INDEX member_standing_due ON member_standing (member) WHERE is_due;
CREATE INDEX member_standing_look ON member_standing (look_on);

CREATE TABLE member_bought (
    member text COLLATE "C" NOT NULL CHECK (member <> ''),
    cause text COLLATE "C" NOT NULL CHECK (cause <> ''),
    day date NOT NULL,
    at timestamptz NOT NULL,
    cents bigint NOT NULL,
    PRIMARY KEY (member, cause)
);

CREATE TABLE tier_change (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    member text COLLATE "C" NOT NULL REFERENCES member_standing,
    at timestamptz NOT NULL,
    tier text NOT NULL CHECK (tier <> ''),
    until date,
    reason text NOT NULL CHECK (reason IN ('joined', 'reached', 'kept', 'fell'))
);
CREATE INDEX tier_change_of ON tier_change (member, at);

GRANT SELECT, INSERT ON loyalty_entry, points_lot, member_standing, member_bought, tier_change
    TO sanhe_app;
GRANT UPDATE (is_open, swept_on) ON points_lot TO sanhe_app;
GRANT UPDATE (tier, since, until, is_due, look_on) ON member_standing TO sanhe_app;
"""
_APPEND_ONLY = ("loyalty_entry", "member_bought", "tier_change")

_SEEN = (
    "(SELECT current_setting('sanhe.places', true) = '*' "
    "AND current_setting('sanhe.suppliers', true) = '*')"
)
GUARDED = ("loyalty_entry", "points_lot", "member_standing", "member_bought", "tier_change")
"""Members belong to no place: seen with the ledger's accounts, by who sees everything."""


def upgrade() -> None:
    """Add the tables and guard them."""
    op.execute(_TABLES)
    for table in _APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only()"
        )
    for table in GUARDED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scoped ON {table} USING ({_SEEN})")
