"""Accounts, sessions, keys and the sign-in limits."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

# Of tokens and key secrets only the SHA-256 is kept; a password as its argon2id hash. The key of
# a second factor has to be kept as it is: codes are computed from it.
_ACCESS = """
CREATE TABLE account (
    id uuid PRIMARY KEY,
    name text COLLATE "C" NOT NULL UNIQUE CHECK (name <> ''),
    password text NOT NULL,
    roles text[] NOT NULL CHECK (cardinality(roles) > 0),
    places text[],
    suppliers text[],
    language text NOT NULL,
    active boolean NOT NULL DEFAULT true,
    factor bytea,
    waiting_factor bytea,
    used_step bigint,
    made_at timestamptz NOT NULL
);
CREATE TABLE access_session (
    token bytea PRIMARY KEY,
    account uuid NOT NULL REFERENCES account,
    begun_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL
);
CREATE INDEX access_session_account ON access_session (account);
CREATE TABLE access_key (
    id uuid PRIMARY KEY,
    label text NOT NULL CHECK (label <> ''),
    secret bytea NOT NULL UNIQUE,
    roles text[] NOT NULL CHECK (cardinality(roles) > 0),
    places text[],
    suppliers text[],
    device boolean NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE TABLE sign_in_limit (
    key text COLLATE "C" PRIMARY KEY,
    busy_until timestamptz NOT NULL
);
CREATE INDEX sign_in_limit_busy ON sign_in_limit (busy_until);
GRANT SELECT, INSERT, UPDATE ON account, access_key TO sanhe_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON access_session, sign_in_limit TO sanhe_app;
"""


def upgrade() -> None:
    """Add the tables."""
    op.execute(_ACCESS)
