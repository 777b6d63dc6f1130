"""What the doctor asks of a database: version, schema, clock, and what its role may do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from sanhe.core.storage.database import Database

_ASK = sa.text(
    "SELECT current_setting('server_version') AS version, "
    "(SELECT version_num FROM alembic_version) AS schema, current_user AS role, "
    "clock_timestamp() AS now, "
    "(SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user) AS mighty, "
    "(SELECT count(*) FROM pg_class WHERE pg_get_userbyid(relowner) = current_user) AS owned"
)


@dataclass(frozen=True, slots=True)
class DatabaseHealth:
    """`mighty`: the role is a superuser or passes row-level security. `owned`: its relations."""

    version: str
    schema: str
    role: str
    now: datetime
    mighty: bool
    owned: int


def database_health(database: Database) -> DatabaseHealth:
    """Ask the database, as the application's role."""
    with database.transaction(actor="doctor") as tx:
        return DatabaseHealth(**tx.connection.execute(_ASK).mappings().one())
