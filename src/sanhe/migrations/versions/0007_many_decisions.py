"""Many decisions at a time: kinds checked by statement, statistics brought up to date."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The same promise as the foreign key: the application may neither change a decision's kind nor
# delete or rename a kind. Row by row it took a sixth of the time of a large plan.
_KINDS = """
ALTER TABLE decision DROP CONSTRAINT decision_kind_kind_version_fkey;
CREATE FUNCTION decision_kind_known() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    unknown record;
BEGIN
    SELECT kind, kind_version INTO unknown
    FROM (SELECT DISTINCT kind, kind_version FROM recorded) AS used
    WHERE NOT EXISTS (
        SELECT FROM decision_kind WHERE name = used.kind AND version = used.kind_version
    );
    IF FOUND THEN
        RAISE foreign_key_violation USING MESSAGE = format(
            'decision kind %s version %s is not registered', unknown.kind, unknown.kind_version
        );
    END IF;
    RETURN NULL;
END;
$$;
CREATE TRIGGER decision_kind_known AFTER INSERT ON decision
    REFERENCING NEW TABLE AS recorded FOR EACH STATEMENT EXECUTE FUNCTION decision_kind_known();
"""

# Until the server has counted a large plan, it takes the table for empty and reads all of it where
# an index would find a few. Only the owner may let it count.
_COUNTED = """
CREATE FUNCTION decision_counted() RETURNS void LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    ANALYZE public.decision;
END;
$$;
REVOKE EXECUTE ON FUNCTION decision_counted() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION decision_counted() TO sanhe_app;
"""


def upgrade() -> None:
    """Put a check by statement in the place of the foreign key, and let the server count."""
    op.execute(_KINDS)
    op.execute(_COUNTED)
