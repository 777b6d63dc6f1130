"""The ledger, decisions, jobs and the outbox."""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_APPEND_ONLY = """
CREATE FUNCTION sanhe_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'table % is append-only: write a further row instead', TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END;
$$;
"""

# Balances stand on the account row and are changed by the statement that writes the entry, so
# that the floor is one constraint. Collation C: prefixes use the index, and the order is the
# same on every server.
_LEDGER = """
CREATE TABLE ledger_account (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text COLLATE "C" NOT NULL UNIQUE CHECK (code <> ''),
    unit text NOT NULL CHECK (unit <> ''),
    floor bigint,
    posted bigint NOT NULL DEFAULT 0,
    pending_out bigint NOT NULL DEFAULT 0 CHECK (pending_out >= 0),
    pending_in bigint NOT NULL DEFAULT 0 CHECK (pending_in >= 0),
    CONSTRAINT ledger_account_floor CHECK (posted - pending_out >= floor)
) WITH (fillfactor = 70);

CREATE TABLE ledger_entry (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    written_by bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    source bigint NOT NULL,
    target bigint NOT NULL,
    amount bigint,
    effective_at timestamptz NOT NULL,
    expires_at timestamptz,
    recorded_at timestamptz NOT NULL,
    transfer uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('opened', 'transfer', 'pending', 'posted', 'voided')),
    reason text NOT NULL,
    reference text NOT NULL,
    actor text NOT NULL,
    CONSTRAINT ledger_entry_amount CHECK (kind = 'opened' OR coalesce(amount, 0) > 0),
    CONSTRAINT ledger_entry_sides CHECK (kind = 'opened' OR source <> target)
);
CREATE UNIQUE INDEX ledger_entry_first ON ledger_entry (transfer)
    WHERE kind IN ('opened', 'transfer', 'pending');
CREATE UNIQUE INDEX ledger_entry_closing ON ledger_entry (transfer)
    WHERE kind IN ('posted', 'voided');
CREATE INDEX ledger_entry_written ON ledger_entry USING brin (written_by)
    WITH (pages_per_range = 32, autosummarize = on);

-- Pending transfers that end by themselves; a row goes when its transfer is closed.
CREATE TABLE ledger_hold (
    transfer uuid PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE INDEX ledger_hold_expires ON ledger_hold (expires_at);

CREATE TABLE ledger_seal (
    number bigint PRIMARY KEY,
    first_entry bigint NOT NULL,
    last_entry bigint NOT NULL,
    entries bigint NOT NULL CHECK (entries > 0),
    below bigint NOT NULL,
    tree bytea NOT NULL,
    root bytea NOT NULL,
    sealed_at timestamptz NOT NULL,
    actor text NOT NULL
);
CREATE TABLE ledger_leaf (
    entry bigint PRIMARY KEY,
    seal bigint NOT NULL,
    hash bytea NOT NULL
);

-- The same bytes as sanhe.core.ledger.rules.canonical, hashed as an RFC 9162 leaf.
CREATE FUNCTION ledger_entry_hash(e ledger_entry) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256('\\x00'::bytea || convert_to(concat_ws('|',
        e.number, e.kind, e.transfer, e.source, e.target, coalesce(e.amount::text, ''),
        (extract(epoch FROM e.effective_at) * 1000000)::bigint,
        coalesce(((extract(epoch FROM e.expires_at) * 1000000)::bigint)::text, ''),
        (extract(epoch FROM e.recorded_at) * 1000000)::bigint,
        e.written_by,
        char_length(e.reason) || ':' || e.reason,
        char_length(e.reference) || ':' || e.reference,
        char_length(e.actor) || ':' || e.actor), 'UTF8'))
$$;

CREATE TRIGGER ledger_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entry
    FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();
CREATE TRIGGER ledger_leaf_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_leaf
    FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();
CREATE TRIGGER ledger_seal_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_seal
    FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();

GRANT SELECT, INSERT, UPDATE (posted, pending_out, pending_in) ON ledger_account TO sanhe_app;
GRANT SELECT, INSERT ON ledger_entry, ledger_seal, ledger_leaf TO sanhe_app;
GRANT SELECT, INSERT, DELETE ON ledger_hold TO sanhe_app;
"""

_OPEN = "'proposed', 'snoozed', 'approved', 'edited', 'executing'"
_CLOSED = "'rejected', 'executed', 'failed', 'measured', 'expired'"

# decision_event has no foreign key: its rows are written by the statement that writes or moves
# the decision, no decision is ever deleted, and the check costs a third of a bulk proposal.
_DECISIONS = f"""
CREATE FUNCTION decision_sum(terms bigint[]) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    total bigint := 0;
    term bigint;
BEGIN
    FOREACH term IN ARRAY terms LOOP
        total := total + term;
    END LOOP;
    RETURN total;
END;
$$;

CREATE TABLE decision_kind (
    name text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    owner text NOT NULL,
    unit text NOT NULL,
    terms text[] NOT NULL CHECK (cardinality(terms) > 0),
    meaning text NOT NULL,
    PRIMARY KEY (name, version)
);

CREATE TABLE decision (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL,
    run uuid NOT NULL,
    kind text NOT NULL,
    kind_version integer NOT NULL,
    sku text CHECK (sku <> ''),
    place text CHECK (place <> ''),
    party text CHECK (party <> ''),
    status text NOT NULL DEFAULT 'proposed' CHECK (status IN ({_OPEN}, {_CLOSED})),
    value bigint NOT NULL,
    proposed_value bigint NOT NULL,
    value_cents bigint NOT NULL,
    terms bigint[] NOT NULL CHECK (cardinality(terms) > 0),
    created_at timestamptz NOT NULL,
    valid_until timestamptz,
    snoozed_until timestamptz,
    reason text NOT NULL,
    method text NOT NULL,
    label text NOT NULL,
    inputs jsonb NOT NULL,
    constraints jsonb,
    alternatives jsonb,
    expected jsonb,
    guard_rails jsonb,
    actions jsonb,
    arm text,
    measured jsonb,
    FOREIGN KEY (kind, kind_version) REFERENCES decision_kind,
    CONSTRAINT decision_terms_sum CHECK (decision_sum(terms) = proposed_value)
) WITH (fillfactor = 85);
CREATE UNIQUE INDEX decision_open ON decision
    (kind, coalesce(sku, ''), coalesce(place, ''), coalesce(party, ''))
    WHERE status IN ({_OPEN});
CREATE INDEX decision_run ON decision (run);
CREATE INDEX decision_money ON decision (kind, status, value_cents DESC);

CREATE TABLE decision_event (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    decision bigint NOT NULL,
    at timestamptz NOT NULL,
    actor text NOT NULL,
    status text NOT NULL CHECK (status IN ({_OPEN}, {_CLOSED})),
    reason text NOT NULL,
    value bigint,
    details jsonb
);
CREATE INDEX decision_event_decision ON decision_event (decision);
CREATE TRIGGER decision_event_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decision_event
    FOR EACH STATEMENT EXECUTE FUNCTION sanhe_append_only();

GRANT SELECT, INSERT, UPDATE (meaning) ON decision_kind TO sanhe_app;
GRANT SELECT, INSERT,
    UPDATE (status, value, snoozed_until, actions, arm, measured) ON decision TO sanhe_app;
GRANT SELECT, INSERT ON decision_event TO sanhe_app;
"""

_OUTBOX = """
CREATE TABLE outbox (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id uuid NOT NULL UNIQUE,
    topic text NOT NULL CHECK (topic <> ''),
    key text NOT NULL,
    payload jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    delivered_at timestamptz,
    UNIQUE (topic, key)
);
CREATE INDEX outbox_pending ON outbox (topic, number) WHERE delivered_at IS NULL;
GRANT SELECT, INSERT, UPDATE (delivered_at) ON outbox TO sanhe_app;
"""

# What a worker does to the queue's tables; jobs and events are never deleted by the application.
_QUEUE_GRANTS = """
GRANT SELECT, INSERT, UPDATE ON procrastinate_jobs TO sanhe_app;
GRANT SELECT, INSERT ON procrastinate_events TO sanhe_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_workers TO sanhe_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON procrastinate_periodic_defers TO sanhe_app;
GRANT USAGE ON SEQUENCE procrastinate_jobs_id_seq, procrastinate_events_id_seq,
    procrastinate_periodic_defers_id_seq TO sanhe_app;
"""


def upgrade() -> None:
    """The ledger, decisions, jobs and the outbox."""
    from procrastinate.schema import SchemaManager

    # Straight to the driver: the texts hold colons and percent signs that are no parameters.
    driver = op.get_bind().connection.driver_connection
    assert driver is not None
    for statements in (_APPEND_ONLY, _LEDGER, _DECISIONS, _OUTBOX):
        driver.execute(statements)
    driver.execute(SchemaManager.get_schema())
    driver.execute(_QUEUE_GRANTS)
