"""Bringing a database to this version: roles, then the Alembic chain in `sanhe/migrations`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import sqlalchemy as sa
from psycopg import sql

import sanhe
from sanhe.core.errors import BadInput

if TYPE_CHECKING:
    from alembic.config import Config

OWNER_ROLE = "sanhe_owner"
APP_ROLE = "sanhe_app"
_LOCK = 7346702


def prepare_roles(owner_url: str) -> None:
    """Make the application's role on a server of one's own, and let the owner act as it.

    Raises BadInput when the role is missing and may not be created, or when it may too much.
    """
    with psycopg.connect(owner_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [_LOCK])
        query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = %s"
        found = connection.execute(query, [APP_ROLE]).fetchone()
        role = sql.Identifier(APP_ROLE)
        try:
            if found is None:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
                found = (False,)
            member = connection.execute(
                "SELECT pg_has_role(current_user, %s, 'MEMBER')", [APP_ROLE]
            ).fetchone()
            if member is None or not member[0]:
                connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))
        except psycopg.errors.InsufficientPrivilege as error:
            raise BadInput(
                f"this user may not create or take on the role {APP_ROLE}",
                place="SANHE_DATABASE_URL",
                remedy=f"let an administrator run: CREATE ROLE {APP_ROLE}; "
                f"GRANT {APP_ROLE} TO the user of the URL",
            ) from error
        if found[0]:
            raise BadInput(
                f"the role {APP_ROLE} is a superuser or passes row-level security",
                place="SANHE_DATABASE_URL",
                remedy=f"run: ALTER ROLE {APP_ROLE} NOSUPERUSER NOBYPASSRLS",
            )


def migrate_to_head(owner_url: str) -> None:
    """Run the migrations that are missing, each in one transaction; one process at a time.

    Raises BadInput when the database was brought further by a newer version.
    """
    from alembic import command

    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url))
    config = _config()
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
            connection.commit()
            config.attributes["connection"] = connection
            try:
                _refuse_newer(connection)
                command.upgrade(config, "head")
            finally:
                connection.rollback()
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_LOCK})")
    finally:
        engine.dispose()


def known_revisions() -> tuple[str, ...]:
    """The revisions of this version's chain, oldest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config())
    return tuple(revision.revision for revision in script.walk_revisions())[::-1]


def _refuse_newer(connection: sa.Connection) -> None:
    found: list[str] = []
    if sa.inspect(connection).has_table("alembic_version"):
        query = "SELECT version_num FROM alembic_version"
        found = [str(revision) for revision in connection.exec_driver_sql(query).scalars()]
    connection.rollback()  # Alembic commits only transactions that it began itself.
    newer = set(found) - set(known_revisions())
    if newer:
        raise BadInput(
            f"the database was made by a newer version (schema {newer.pop()})",
            remedy="upgrade sanhe",
        )


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    return config


def migrations_folder() -> Path:
    """The folder of the Alembic chain, shipped with the package."""
    return Path(sanhe.__file__).parent / "migrations"
