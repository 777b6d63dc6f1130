"""The database: opened once, used in transactions that commit at the edge."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, quote, urlsplit

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.exc import OperationalError

from sanhe.core.clock import Clock
from sanhe.core.errors import BadInput, TooMany
from sanhe.core.scope import EVERYTHING, Scope
from sanhe.core.settings import Settings
from sanhe.core.storage.migrate import APP_ROLE, OWNER_ROLE, migrate_to_head, prepare_roles
from sanhe.core.storage.server import EmbeddedServer, start_server

if TYPE_CHECKING:
    import pyarrow as pa

_DATABASE = "sanhe"
CONNECTIONS: Final = 15
"""So many transactions of a process go on at once; none is closed while the process lives."""
_SCOPE = sa.text(
    "SELECT set_config('sanhe.actor', :actor, true), set_config('sanhe.places', :places, true), "
    "set_config('sanhe.suppliers', :suppliers, true)"
)


@dataclass(frozen=True)
class Transaction:
    """One unit of work: all of it is committed or nothing. `actor` is who acts, e.g. a role.

    `scope` is what of the retailer's it sees.
    """

    connection: sa.Connection
    actor: str
    clock: Clock
    scope: Scope = EVERYTHING
    database: Database | None = None

    @contextlib.contextmanager
    def apart(self) -> Iterator[Transaction]:
        """A transaction of its own by the same actor, kept whatever becomes of this one.

        It has a new connection, so that those of the pool can't wait for each other, and sees
        nothing of what this one has not committed.
        """
        assert self.database is not None
        with self.database.new_connection() as connection:
            yield self.database.begun(connection, actor=self.actor, scope=self.scope)

    @property
    def driver(self) -> psycopg.Connection[tuple[object, ...]]:
        """The psycopg connection below, for COPY; it belongs to this transaction."""
        found = self.connection.connection.driver_connection
        assert isinstance(found, psycopg.Connection)
        return found


class Database:
    """The installation's database, connected as the role `sanhe_app`, which owns nothing.

    `url` connects as the application, `owner_url` as the owner of the tables (migrations). A
    transaction waits `wait_seconds` for a connection to get free.
    """

    def __init__(
        self,
        *,
        url: str,
        owner_url: str,
        clock: Clock,
        server: EmbeddedServer | None = None,
        wait_seconds: float = 30,
    ) -> None:
        self.url, self.owner_url, self.clock, self.server = url, owner_url, clock, server
        self._engine = self._new_engine(
            pool_size=CONNECTIONS, max_overflow=0, pool_pre_ping=True, pool_timeout=wait_seconds
        )
        self._unpooled = self._new_engine(poolclass=sa.NullPool)

    def _new_engine(self, **pool: Any) -> sa.Engine:
        return sa.create_engine(
            "postgresql+psycopg://",
            creator=lambda: psycopg.connect(_with_option(self.url, "timezone=UTC")),
            hide_parameters=True,  # Facts of the retailer don't belong into messages and logs.
            **pool,
        )

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock, migrate: bool = True) -> Database:
        """Open the database of these settings: the embedded server or the one of the URL.

        `migrate` brings the tables to this version's state first. Raises BadInput when the
        server of the URL can't be reached or used.
        """
        server = None
        if settings.database_url is None:
            server = start_server(settings.home)
            prepare_embedded(server)
        url, owner_url = urls_of(server or str(settings.database_url))
        try:
            if migrate:
                if server is None:
                    prepare_roles(owner_url)
                migrate_to_head(owner_url)
            opened = cls(url=url, owner_url=owner_url, clock=clock, server=server)
            opened._check()
        except (psycopg.OperationalError, OperationalError) as error:
            if server is not None:
                server.close()
                raise
            raise BadInput(
                f"can't use this database: {str(error).splitlines()[0]}",
                place="SANHE_DATABASE_URL",
                remedy="check host, user and password; unset it for the embedded database",
            ) from error
        return opened

    @contextlib.contextmanager
    def transaction(self, *, actor: str, scope: Scope = EVERYTHING) -> Iterator[Transaction]:
        """A transaction that commits at the end of the block and rolls back on an error.

        It sees the rows of its scope and no others; the database itself holds to that. Raises
        TooMany when no connection gets free in time, or when this transaction and another wait
        for each other's rows: nothing was done, so ask again.
        """
        try:
            with self._engine.begin() as connection:
                yield self.begun(connection, actor=actor, scope=scope)
        except sa.exc.TimeoutError as error:
            raise TooMany("all connections are in use: ask again", retry_after_seconds=1) from error
        except OperationalError as error:
            if not isinstance(error.orig, psycopg.errors.DeadlockDetected):
                raise
            raise TooMany("others want the same rows: ask again", retry_after_seconds=1) from error

    def begun(self, connection: sa.Connection, *, actor: str, scope: Scope) -> Transaction:
        """The transaction of a connection that has just begun one: tells the server its scope."""
        connection.execute(_SCOPE, {"actor": actor, **scope_settings(scope)})
        return Transaction(connection, actor, self.clock, scope, self)

    @contextlib.contextmanager
    def new_connection(self) -> Iterator[sa.Connection]:
        """A transaction on a connection beside the pool; see `Transaction.apart`."""
        with self._unpooled.begin() as connection:
            yield connection

    def read_arrow(self, query: str, parameters: Sequence[object] = ()) -> pa.Table:
        """Run a query on all that is committed; `$1` marks a parameter. Read only."""
        with self.stream_arrow(query, parameters) as reader:
            return reader.read_all()

    @contextlib.contextmanager
    def stream_arrow(
        self, query: str, parameters: Sequence[object] = ()
    ) -> Iterator[pa.RecordBatchReader]:
        """Like `read_arrow`, as a stream of record batches: the result need not fit in memory."""
        from adbc_driver_postgresql import dbapi

        read_only = _seeing_everything(self.url)
        read_only = _with_option(read_only, "default_transaction_read_only=on")
        with (
            dbapi.connect(read_only, autocommit=True) as connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(query, tuple(parameters) or None)
            yield cursor.fetch_record_batch()

    def close(self) -> None:
        """Close all connections; the embedded server stops with its last user."""
        self._engine.dispose()
        if self.server is not None:
            self.server.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _check(self) -> None:
        with self._engine.connect() as connection:
            connection.exec_driver_sql("SELECT 1")


def scope_settings(scope: Scope) -> dict[str, str]:
    """What a scope is told to the server as: `*` for all, else an array literal of the codes."""
    return {"places": _codes(scope.places), "suppliers": _codes(scope.suppliers)}


def _codes(codes: Collection[str] | None) -> str:
    if codes is None:
        return "*"
    escaped = (code.replace("\\", "\\\\").replace('"', '\\"') for code in sorted(codes))
    return "{" + ",".join(f'"{code}"' for code in escaped) + "}"


def urls_of(server: EmbeddedServer | str) -> tuple[str, str]:
    """The URLs of the application and of the owner, for a server or an owner's URL.

    The application tells its scope in each transaction. The owner, who migrates, saves and
    restores, sees everything: it is bound by the same policies.
    """
    if isinstance(server, EmbeddedServer):
        return (
            server.url(user=APP_ROLE, database=_DATABASE),
            _seeing_everything(server.url(user=OWNER_ROLE, database=_DATABASE)),
        )
    given = _libpq(server)
    return _with_role(given), _seeing_everything(given)


def database_errors() -> tuple[type[Exception], ...]:
    """What is raised when the database is away, full or out of room: no fault of the caller's."""
    from adbc_driver_manager import OperationalError as ArrowError

    return (
        OperationalError,
        sa.exc.InterfaceError,
        psycopg.OperationalError,
        psycopg.InterfaceError,
        ArrowError,
    )


def prepare_embedded(server: EmbeddedServer) -> None:
    """Make the two roles and the database where they are missing; safe when run at once."""
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(7346701)")
        for role in (OWNER_ROLE, APP_ROLE):
            known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
            if known.fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        grant = sql.SQL("GRANT {} TO {}")
        connection.execute(grant.format(sql.Identifier(APP_ROLE), sql.Identifier(OWNER_ROLE)))
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [_DATABASE])
        if known.fetchone() is None:
            names = sql.Identifier(_DATABASE), sql.Identifier(OWNER_ROLE)
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(*names))


def _libpq(url: str) -> str:
    """The URL as libpq takes it, without SQLAlchemy's driver suffix.

    Raises BadInput for what is no PostgreSQL URL; the message never shows the URL, as it holds
    the password.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _unreadable() from None
    if parts.scheme.split("+")[0] not in ("postgresql", "postgres"):
        raise BadInput(
            "this is no PostgreSQL URL",
            place="SANHE_DATABASE_URL",
            remedy="give postgresql://user:password@host/database",
        )
    if parts.fragment:
        raise _unreadable()
    plain = _written(parts._replace(scheme="postgresql"))
    try:
        read = psycopg.conninfo.conninfo_to_dict(plain)
    except psycopg.ProgrammingError:
        raise _unreadable() from None
    # Where a sign of the password is taken for the end of it, the rest would be named as the host.
    told = parts.password is not None or "password=" in parts.query
    ports = str(read.get("port") or "").split(",")
    if (
        (read.get("password") is not None and not told)
        or parts.netloc.count("@") > 1
        or "@" in parts.path
        or not all(port == "" or port.isdecimal() for port in ports)
    ):
        raise _unreadable()
    return plain


def _unreadable() -> BadInput:
    return BadInput(
        "this URL can't be read",
        place="SANHE_DATABASE_URL",
        remedy="give postgresql://user:password@host/database and percent-encode user and "
        "password: @ is %40, / is %2F, : is %3A, # is %23, ? is %3F, % is %25",
    )


def _with_role(url: str) -> str:
    return _with_option(url, f"role={APP_ROLE}")


def _seeing_everything(url: str) -> str:
    """The URL of sessions whose scope is everything."""
    for name, told in scope_settings(EVERYTHING).items():
        url = _with_option(url, f"sanhe.{name}={told}")
    return url


def _with_option(url: str, option: str) -> str:
    """Add a session setting to a URL's `options`."""
    parts = urlsplit(url)
    flag = quote(f"-c {option}", safe="")
    pairs = parts.query.split("&") if parts.query else []
    for index, pair in enumerate(pairs):
        if pair.startswith("options="):
            pairs[index] = f"{pair}%20{flag}"
            break
    else:
        pairs.append(f"options={flag}")
    return _written(parts._replace(query="&".join(pairs)))


def _written(parts: SplitResult) -> str:
    """The URL of its parts; urlunsplit would drop the slashes where no host is named."""
    query = f"?{parts.query}" if parts.query else ""
    return f"{parts.scheme}://{parts.netloc}{parts.path}{query}"
