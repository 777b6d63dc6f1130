"""Saved views: each account's own."""

from __future__ import annotations

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_VIEWS = """
CREATE TABLE saved_view (
    account uuid NOT NULL REFERENCES account,
    page text NOT NULL CHECK (page <> ''),
    name text NOT NULL CHECK (name <> ''),
    search text NOT NULL,
    kept_at timestamptz NOT NULL,
    PRIMARY KEY (account, page, name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON saved_view TO sanhe_app;
"""


def upgrade() -> None:
    """Add the table."""
    op.execute(_VIEWS)
