"""Rows are guarded by the database: who set no scope sees none of them."""

from __future__ import annotations

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# A transaction tells its scope in the settings sanhe.places and sanhe.suppliers: `*` for all,
# else an array of codes; nothing told, nothing seen. Each sub-select is asked once a statement.
_CODES = """
CREATE FUNCTION sanhe_codes(setting text) RETURNS text[]
LANGUAGE sql STABLE PARALLEL SAFE SET search_path = pg_catalog AS $$
    SELECT CASE WHEN told LIKE '{%' THEN told::text[] ELSE '{}' END
    FROM current_setting(setting, true) AS told
$$;
"""


def _all(what: str) -> str:
    return f"(SELECT current_setting('sanhe.{what}', true) = '*')"


def _among(column: str, what: str) -> str:
    return f"{column} IN (SELECT unnest(sanhe_codes('sanhe.{what}')))"


def _at(column: str) -> str:
    """In one of the places; a row without a place only for who sees them all."""
    return f"({_all('places')} OR {_among(column, 'places')})"


def _at_or_everywhere(column: str) -> str:
    """In one of the places; a row without a place holds in all of them."""
    told = "(SELECT current_setting('sanhe.places', true) <> '')"
    return f"({_all('places')} OR ({column} IS NULL AND {told}) OR {_among(column, 'places')})"


def _of(column: str) -> str:
    """Of one of the suppliers; a row without one only for who sees them all."""
    return f"({_all('suppliers')} OR {_among(column, 'suppliers')})"


_INSIDE = _all("suppliers")
"""Who works for the retailer; a supplier looks from outside."""

_EVERYTHING = (
    "(SELECT current_setting('sanhe.places', true) = '*' "
    "AND current_setting('sanhe.suppliers', true) = '*')"
)


def _with_its(table: str, condition: str) -> str:
    """What belongs to a row of another guarded table, and is seen as that is."""
    return f"({_EVERYTHING} OR EXISTS (SELECT FROM {table} AS its WHERE {condition}))"


# A transfer is an order whose supplier is a place of ours: seen at both ends, by no supplier.
_ORDER = (
    f"({_all('suppliers')} OR NOT transfer AND {_among('supplier', 'suppliers')}) "
    f"AND ({_at('place')} OR transfer AND {_among('supplier', 'places')})"
)
_ITS_ORDER = _with_its("purchase_order", "its.name = order_name")
_CLOSED_ORDER = (
    f"({_INSIDE} OR EXISTS (SELECT FROM purchase_order AS its "  # noqa: S608 -- constants
    "WHERE its.name = order_name) "
    "OR EXISTS (SELECT FROM purchase_outside AS its "
    "WHERE its.order_name = purchase_closure.order_name))"
)

# What is read may be written too; the grants of each table say what of it.
GUARDED = {
    "place": _at("id"),
    "holiday": _at_or_everywhere("place"),
    "item_description": (
        f"({_INSIDE} OR EXISTS "
        "(SELECT FROM supply_agreement AS its WHERE its.sku = item_description.sku))"
    ),
    "price_setting": f"{_INSIDE} AND {_at_or_everywhere('place')}",
    "stock_entry": f"{_INSIDE} AND {_at('place')}",
    "stock_position": f"{_INSIDE} AND {_at('place')}",
    "supplier_description": _of("supplier"),
    "supply_agreement": f"{_of('supplier')} AND {_at_or_everywhere('place')}",
    "purchase_outside": f"{_of('supplier')} AND {_at('place')}",
    "purchase_receipt": f"{_of('supplier')} AND {_at('place')}",
    "purchase_closure": f"{_CLOSED_ORDER} AND {_at_or_everywhere('place')}",
    "purchase_order": _ORDER,
    "purchase_order_line": _ITS_ORDER,
    "purchase_order_event": _ITS_ORDER,
    "transfer_departure": f"{_INSIDE} AND ({_at('place')} OR {_ITS_ORDER})",
    "decision": f"{_INSIDE} AND {_at('place')}",
    "decision_event": _with_its("decision", "its.number = decision_event.decision"),
    "decision_snapshot": _with_its("decision", "its.snapshot = decision_snapshot.number"),
    "fact": _EVERYTHING,
    "ledger_account": _EVERYTHING,
    "ledger_entry": _EVERYTHING,
    "ledger_hold": _EVERYTHING,
    "outbox": _EVERYTHING,
    "account": _EVERYTHING,
    "access_session": _EVERYTHING,
    "access_key": _EVERYTHING,
    "sign_in_limit": _EVERYTHING,
}
"""Each guarded table and the rows of it that are seen."""

# Balances of the stock of a place: `stock.on_hand/PLACE/SKU`, a slash in a name written %2F.
_STOCK_ACCOUNTS = f"{_INSIDE} AND code ^@ 'stock.' AND " + _among(
    "replace(replace(split_part(code, '/', 2), '%2F', '/'), '%25', '%')", "places"
)
_OWN_ACTOR = "actor = (SELECT current_setting('sanhe.actor', true))"

_FURTHER = f"""
CREATE POLICY scoped_stock ON ledger_account FOR SELECT USING ({_STOCK_ACCOUNTS});
ALTER TABLE audit_event ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_event FORCE ROW LEVEL SECURITY;
CREATE POLICY scoped ON audit_event FOR SELECT USING ({_EVERYTHING} OR {_OWN_ACTOR});
CREATE POLICY signed ON audit_event FOR INSERT WITH CHECK ({_OWN_ACTOR});
CREATE INDEX decision_of_snapshot ON decision (snapshot);
"""

# Under a policy an index on an expression is not used: a condition whose functions could tell
# of rows it refuses comes after the policy, and coalesce counts as one.
_OPEN = "'proposed', 'snoozed', 'approved', 'edited', 'executing'"
_PLAIN_INDEX = f"""
DROP INDEX decision_open;
CREATE UNIQUE INDEX decision_open ON decision (kind, sku, place, party) NULLS NOT DISTINCT
    WHERE status IN ({_OPEN});
"""


def upgrade() -> None:
    """Enable and force row-level security with a policy on each guarded table."""
    op.get_bind().exec_driver_sql(_CODES.replace("%", "%%"))
    for table, seen in GUARDED.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.get_bind().exec_driver_sql(f"CREATE POLICY scoped ON {table} USING ({seen})")
    op.execute(_PLAIN_INDEX)
    op.get_bind().exec_driver_sql(_FURTHER.replace("%", "%%"))
