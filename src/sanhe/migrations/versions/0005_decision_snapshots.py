"""What a decision was computed from is kept in columns, many decisions to a row.

Rows of earlier versions stay as they are: their snapshot is in the decision itself, and their
first event in `decision_event`. Newer ones name a row of `decision_snapshot` and who proposed.
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# decision.snapshot has no foreign key: the statement before writes the snapshot in the same
# transaction, nothing can delete one, and the check costs as much as the row. The payload is
# compressed already, so that PostgreSQL shouldn't try again.
_SNAPSHOTS = """
CREATE TABLE decision_snapshot (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    payload bytea NOT NULL
);
ALTER TABLE decision_snapshot ALTER COLUMN payload SET STORAGE EXTERNAL;
CREATE TRIGGER decision_snapshot_append_only BEFORE UPDATE OR DELETE OR TRUNCATE
    ON decision_snapshot FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();
GRANT SELECT, INSERT ON decision_snapshot TO sanhe_app;

ALTER TABLE decision
    ADD COLUMN created_by text,
    ADD COLUMN snapshot bigint,
    ADD COLUMN snapshot_row integer,
    ALTER COLUMN reason DROP NOT NULL,
    ALTER COLUMN method DROP NOT NULL,
    ALTER COLUMN inputs DROP NOT NULL,
    ADD CONSTRAINT decision_inputs CHECK (
        inputs IS NOT NULL
        OR (snapshot IS NOT NULL AND snapshot_row IS NOT NULL AND created_by IS NOT NULL)
    );
GRANT USAGE ON SEQUENCE decision_number_seq, decision_snapshot_number_seq TO sanhe_app;
"""


def upgrade() -> None:
    """Add the table of snapshots and let a decision refer to one of its rows."""
    op.execute(_SNAPSHOTS)
