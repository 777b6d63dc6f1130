"""The keys of persons, which are in no backup of the data, and which of them were destroyed."""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE person_key (
    id uuid PRIMARY KEY,
    person text COLLATE "C" NOT NULL CHECK (person <> ''),
    wrapped bytea NOT NULL,
    master text NOT NULL,
    is_current boolean NOT NULL
);
CREATE UNIQUE INDEX person_key_current ON person_key (person) WHERE is_current;
CREATE INDEX person_key_of ON person_key (person);
CREATE INDEX person_key_under ON person_key (master, id);

CREATE TABLE person_erasure (
    key uuid PRIMARY KEY,
    person text COLLATE "C" NOT NULL CHECK (person <> ''),
    erased_at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor <> '')
);
CREATE INDEX person_erasure_of ON person_erasure (person);
CREATE TRIGGER person_erasure_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON person_erasure
    FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();

GRANT SELECT, INSERT, DELETE ON person_key TO sanhe_app;
GRANT UPDATE (wrapped, master) ON person_key TO sanhe_app;
GRANT SELECT, INSERT ON person_erasure TO sanhe_app;

ALTER TABLE sales_order ADD COLUMN recipient_erased_at timestamptz,
    ADD CHECK (num_nonnulls(recipient, recipient_erased_at) <= 1);
CREATE INDEX sales_order_recipient ON sales_order (closed_at)
    WHERE recipient IS NOT NULL AND member IS NULL;
GRANT UPDATE (recipient_erased_at) ON sales_order TO sanhe_app;
"""

_SEEN = (
    "(SELECT current_setting('sanhe.places', true) = '*' "
    "AND current_setting('sanhe.suppliers', true) = '*')"
)
GUARDED = ("person_key", "person_erasure")
"""Persons belong to no place: their keys are used by who sees everything."""


def upgrade() -> None:
    """Add the tables and guard them; what orders have of a recipient can be erased."""
    op.execute(_TABLES)
    for table in GUARDED:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY scoped ON {table} USING ({_SEEN})")
