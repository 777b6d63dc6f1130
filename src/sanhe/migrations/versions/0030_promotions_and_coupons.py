"""Promotions with their versions, and coupons: campaigns, what was issued, what is held."""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE promotion_book (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    edition uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO promotion_book DEFAULT VALUES;

CREATE TABLE promotion_version (
    promotion text NOT NULL CHECK (promotion <> ''),
    version int NOT NULL CHECK (version > 0),
    terms jsonb NOT NULL,
    saved_at timestamptz NOT NULL,
    saved_by text NOT NULL,
    PRIMARY KEY (promotion, version)
);

CREATE TABLE promotion (
    id text PRIMARY KEY,
    version int NOT NULL,
    published int,
    decision bigint,
    published_at timestamptz,
    withdrawn_at timestamptz,
    FOREIGN KEY (id, version) REFERENCES promotion_version,
    FOREIGN KEY (id, published) REFERENCES promotion_version,
    CHECK (num_nonnulls(published, decision, published_at) IN (0, 3)),
    CHECK (published <= version),
    CHECK (published IS NULL OR withdrawn_at IS NULL)
);

CREATE TABLE coupon_campaign (
    id text PRIMARY KEY CHECK (id <> ''),
    name text NOT NULL CHECK (name <> ''),
    promotion text NOT NULL REFERENCES promotion,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    days int CHECK (days > 0),
    most bigint CHECK (most > 0),
    per_member int CHECK (per_member > 0),
    issued bigint NOT NULL DEFAULT 0,
    saved_at timestamptz NOT NULL,
    saved_by text NOT NULL,
    stopped_at timestamptz,
    CHECK (begins_at < ends_at),
    CHECK (issued <= most)
);

CREATE TABLE coupon (
    id uuid PRIMARY KEY,
    campaign text NOT NULL REFERENCES coupon_campaign,
    member text CHECK (member <> ''),
    ordinal int CHECK (ordinal > 0),
    code_hash bytea NOT NULL UNIQUE,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    issued_at timestamptz NOT NULL,
    issued_by text NOT NULL,
    UNIQUE (campaign, member, ordinal),
    CHECK (begins_at < ends_at),
    CHECK (num_nulls(member, ordinal) IN (0, 2))
);
CREATE INDEX coupon_of_member ON coupon (member, ends_at) WHERE member IS NOT NULL;
CREATE INDEX coupon_listed ON coupon (campaign, issued_at, id);

CREATE TABLE coupon_hold (
    cause text NOT NULL CHECK (cause <> ''),
    promotion text NOT NULL REFERENCES promotion,
    coupon uuid REFERENCES coupon,
    member text CHECK (member <> ''),
    cents bigint NOT NULL CHECK (cents >= 0),
    transfers uuid[] NOT NULL,
    held_at timestamptz NOT NULL,
    given_back_at timestamptz,
    step text CHECK (step <> ''),
    PRIMARY KEY (cause, promotion),
    CHECK (num_nulls(given_back_at, step) IN (0, 2))
);
CREATE INDEX coupon_hold_of ON coupon_hold (coupon) WHERE coupon IS NOT NULL;

CREATE TABLE coupon_limit (
    key text PRIMARY KEY,
    busy_until timestamptz NOT NULL
);

GRANT SELECT ON promotion_book, promotion, promotion_version TO sanhe_app;
GRANT SELECT ON coupon_campaign, coupon, coupon_hold, coupon_limit TO sanhe_app;
GRANT INSERT ON promotion, promotion_version TO sanhe_app;
GRANT INSERT ON coupon_campaign, coupon, coupon_hold, coupon_limit TO sanhe_app;
GRANT UPDATE ON promotion_book TO sanhe_app;
GRANT UPDATE (version, published, decision, published_at, withdrawn_at) ON promotion TO sanhe_app;
GRANT UPDATE (name, begins_at, ends_at, days, most, per_member, issued, saved_at, saved_by,
    stopped_at) ON coupon_campaign TO sanhe_app;
GRANT UPDATE (given_back_at, step) ON coupon_hold TO sanhe_app;
GRANT UPDATE, DELETE ON coupon_limit TO sanhe_app;
"""

_INSIDE = "((SELECT current_setting('sanhe.suppliers', true)) = '*')"

GUARDED = (
    *("promotion_book", "promotion", "promotion_version"),
    *("coupon_campaign", "coupon", "coupon_hold", "coupon_limit"),
)
"""Guarded tables: they hold for all places, and a supplier sees none of them."""


def upgrade() -> None:
    """Add the tables and guard them."""
    op.execute(_TABLES)
    for table in GUARDED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scoped ON {table} USING {_INSIDE}")
