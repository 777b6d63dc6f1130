"""Commands by their idempotency keys, with the answers they had."""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# The answer is json, not jsonb: it comes back as it was given. It is null only within the
# transaction that carries the command out.
_COMMANDS = """
CREATE TABLE command (
    actor text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    key text COLLATE "C" NOT NULL,
    body bytea NOT NULL,
    given_at timestamptz NOT NULL,
    answer json,
    PRIMARY KEY (actor, name, key)
) WITH (fillfactor = 80);
CREATE INDEX command_given ON command USING brin (given_at);
GRANT SELECT, INSERT, DELETE, UPDATE (answer) ON command TO sanhe_app;
"""

# One's own, as in audit_event; a job that sees everything answers for others.
_SEEN = (
    "(SELECT current_setting('sanhe.places', true) = '*' "
    "AND current_setting('sanhe.suppliers', true) = '*') "
    "OR actor = (SELECT current_setting('sanhe.actor', true))"
)


def upgrade() -> None:
    """The table of commands, guarded by actor."""
    op.execute(_COMMANDS)
    op.execute("ALTER TABLE command ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE command FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY scoped ON command USING ({_SEEN})")
