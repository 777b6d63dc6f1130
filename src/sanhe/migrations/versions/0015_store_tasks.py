"""Store tasks: one open task per place, kind and subject, with an append-only history."""

from __future__ import annotations

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE store_task (
    id uuid PRIMARY KEY,
    place text COLLATE "C" NOT NULL CHECK (place <> ''),
    kind text NOT NULL CHECK (kind <> ''),
    subject text COLLATE "C" NOT NULL CHECK (subject <> ''),
    due_at timestamptz,
    state text NOT NULL CHECK (state IN ('open', 'taken', 'done', 'dropped')),
    lines jsonb NOT NULL,
    note text NOT NULL,
    taken_by text,
    opened_at timestamptz NOT NULL,
    closed_at timestamptz,
    CHECK ((state IN ('done', 'dropped')) = (closed_at IS NOT NULL)),
    CHECK (state = 'dropped' OR (state = 'open') = (taken_by IS NULL))
);
CREATE UNIQUE INDEX store_task_open ON store_task (place, kind, subject)
    WHERE state IN ('open', 'taken');
CREATE INDEX store_task_due ON store_task (place, due_at) WHERE state IN ('open', 'taken');
CREATE TABLE store_task_event (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    task uuid NOT NULL REFERENCES store_task,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    state text NOT NULL,
    note text NOT NULL
);
CREATE INDEX store_task_event_of ON store_task_event (task);
CREATE TRIGGER store_task_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON store_task_event FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();
GRANT SELECT, INSERT, UPDATE ON store_task TO sanhe_app;
GRANT SELECT, INSERT ON store_task_event TO sanhe_app;
"""

# Seen at its place, by who works for the retailer; see 0014.
_AT_ITS_PLACE = (
    "(SELECT current_setting('sanhe.suppliers', true) = '*') "
    "AND ((SELECT current_setting('sanhe.places', true) = '*') "
    "OR place IN (SELECT unnest(sanhe_codes('sanhe.places'))))"
)
_WITH_ITS_TASK = (
    "((SELECT current_setting('sanhe.places', true) = '*' "
    "AND current_setting('sanhe.suppliers', true) = '*') "
    "OR EXISTS (SELECT FROM store_task AS its WHERE its.id = store_task_event.task))"
)


def upgrade() -> None:
    """Make the tables and guard their rows."""
    op.get_bind().exec_driver_sql(_TABLES)
    for table, seen in (("store_task", _AT_ITS_PLACE), ("store_task_event", _WITH_ITS_TASK)):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.get_bind().exec_driver_sql(f"CREATE POLICY scoped ON {table} USING ({seen})")
