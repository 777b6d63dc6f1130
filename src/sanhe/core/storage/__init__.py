"""Storage: PostgreSQL, embedded or your own; transactions, bulk copies, migrations, backups.

The only package that imports database drivers. `Database.open` starts (or joins) the embedded
server in the installation's home, or connects to SANHE_DATABASE_URL, brings the tables to this
version and connects as the role `sanhe_app`, which owns nothing and passes no row-level
security. One request or job is one `transaction`, committed at the edge.

On a server of one's own the URL logs in as the owner of the tables, as migrations need it, and
takes on `sanhe_app` at once: that guards against our own mistakes, not against someone who has the
URL. What is only added to is guarded by triggers as well. `sanhe doctor` names such a login.
"""

from sanhe.core.storage.archive import (
    Saved,
    SavedFile,
    backup,
    check_backup,
    restore,
    try_restore,
)
from sanhe.core.storage.bulk import copy_in, copy_in_unless_known, fetch_arrow, stream_arrow
from sanhe.core.storage.database import Database, Transaction, database_errors
from sanhe.core.storage.health import DatabaseHealth, database_health
from sanhe.core.storage.migrate import APP_ROLE, OWNER_ROLE, migrations_folder
from sanhe.core.storage.server import EmbeddedServer, start_server

__all__ = [
    "APP_ROLE",
    "OWNER_ROLE",
    "Database",
    "DatabaseHealth",
    "EmbeddedServer",
    "Saved",
    "SavedFile",
    "Transaction",
    "backup",
    "check_backup",
    "copy_in",
    "copy_in_unless_known",
    "database_errors",
    "database_health",
    "fetch_arrow",
    "migrations_folder",
    "restore",
    "start_server",
    "stream_arrow",
    "try_restore",
]
