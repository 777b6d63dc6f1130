"""What the doctor asks of a database: version, schema, clock, and what its role may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sanhe.core.storage.database import Database

_ASK = sa.text(
    "SELECT current_setting('server_version') AS version, "
    "(SELECT version_num FROM alembic_version) AS schema, current_user AS role, "
    "session_user AS login, "
    "clock_timestamp() AS now, "
    "(SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS mighty, "
    "(SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user) AS owned, "
    "current_user <> session_user AND EXISTS (SELECT FROM pg_class WHERE relkind = 'r' "
    "AND relnamespace = 'public'::regnamespace AND pg_get_userbyid(relowner) = session_user) "
    "AS login_owns"
)


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """`mighty`: the role is a superuser or passes row-level security. `owned`: its relations.

    `login` is who logged in before taking on the role; `login_owns`: that one owns our tables, so
    that whoever holds the connection could take the owner's rights back.
    """

    version: str
    schema: str
    role: str
    login: str
    now: datetime
    mighty: bool
    owned: int
    login_owns: bool


def database_health(database: Database) -> DatabaseHealth:
    """Ask the database, as the application's role."""
    with database.transaction(actor="doctor") as tx:
        return DatabaseHealth(**tx.connection.execute(_ASK).mappings().one())
