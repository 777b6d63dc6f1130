"""Bringing a database to this version: roles, then the Alembic chain in `sanhe/migrations`."""

from __future__ import annotations

from pathlib import Path

import psycopg
import sqlalchemy as sa
from psycopg import sql

import sanhe
from sanhe.core.errors import BadInput

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
    """Run the migrations that are missing, each in one transaction; one process at a time."""
    from alembic import command
    from alembic.config import Config

    engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(owner_url))
    config = Config()
    config.set_main_option("script_location", str(migrations_folder()).replace("%", "%%"))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT pg_advisory_lock({_LOCK})")
            connection.commit()
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            finally:
                connection.rollback()
                connection.exec_driver_sql(f"SELECT pg_advisory_unlock({_LOCK})")
    finally:
        engine.dispose()


def migrations_folder() -> Path:
    """The folder of the Alembic chain, shipped with the package."""
    return Path(sanhe.__file__).parent / "migrations"
