"""Where each account has signed in from: those places have attempts of their own."""

from __future__ import annotations

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_EVERYTHING = (
    "(SELECT current_setting('sanhe.places', true) = '*' "
    "AND current_setting('sanhe.suppliers', true) = '*')"
)
_KNOWN = f"""
CREATE TABLE known_address (
    account uuid NOT NULL REFERENCES account,
    address text COLLATE "C" NOT NULL,
    seen_at timestamptz NOT NULL,
    PRIMARY KEY (account, address)
);
CREATE INDEX known_address_seen ON known_address (seen_at);
ALTER TABLE known_address ENABLE ROW LEVEL SECURITY;
ALTER TABLE known_address FORCE ROW LEVEL SECURITY;
CREATE POLICY scoped ON known_address USING ({_EVERYTHING});
GRANT SELECT, INSERT, UPDATE, DELETE ON known_address TO sanhe_app;
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(_KNOWN)
