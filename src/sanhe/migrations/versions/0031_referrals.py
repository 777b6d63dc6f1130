"""Referrals: who brought which friend, and the friend's first order that has to stay bought."""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE member_referral (
    friend text COLLATE "C" PRIMARY KEY REFERENCES member_standing,
    member text COLLATE "C" NOT NULL REFERENCES member_standing,
    at timestamptz NOT NULL,
    cause text,
    due_on date,
    paid_at timestamptz,
    CHECK (friend <> member),
    CHECK ((cause IS NULL) = (due_on IS NULL)),
    CHECK (paid_at IS NULL OR cause IS NOT NULL)
);
CREATE INDEX member_referral_due ON member_referral (due_on) WHERE paid_at IS NULL;
GRANT SELECT, INSERT ON member_referral TO sanhe_app;
GRANT UPDATE (cause, due_on, paid_at) ON member_referral TO sanhe_app;
ALTER TABLE member_referral ENABLE ROW LEVEL SECURITY;
ALTER TABLE member_referral FORCE ROW LEVEL SECURITY;
CREATE POLICY scoped ON member_referral USING (
    (SELECT current_setting('sanhe.places', true) = '*'
     AND current_setting('sanhe.suppliers', true) = '*'));
"""


def upgrade() -> None:
    """Add the table and guard it."""
    op.execute(_TABLES)
