"""Identities at an OpenID provider, and accounts without a password."""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_EVERYTHING = (
    "(SELECT current_setting('sanhe.places', true) = '*' "
    "AND current_setting('sanhe.suppliers', true) = '*')"
)
_IDENTITIES = f"""
ALTER TABLE account ALTER COLUMN password DROP NOT NULL;
CREATE TABLE account_identity (
    issuer text COLLATE "C" NOT NULL CHECK (issuer <> ''),
    subject text COLLATE "C" NOT NULL CHECK (subject <> ''),
    account uuid NOT NULL REFERENCES account,
    linked_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX account_identity_account ON account_identity (account, issuer);
ALTER TABLE account_identity ENABLE ROW LEVEL SECURITY;
ALTER TABLE account_identity FORCE ROW LEVEL SECURITY;
CREATE POLICY scoped ON account_identity USING ({_EVERYTHING});
GRANT SELECT, INSERT, DELETE ON account_identity TO sanhe_app;
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(_IDENTITIES)
