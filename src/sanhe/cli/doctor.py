"""What `sanhe doctor` examines: each finding says what is so and what to do about it."""

from __future__ import annotations

import ctypes
import importlib
import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from sanhe.core.errors import SanheError
from sanhe.core.settings import Settings

if TYPE_CHECKING:
    from sanhe.wiring import Sanhe

ENOUGH_DISK_GB = 5.0
CLOCK_DRIFT_SECONDS = 5.0
PARTS = ("duckdb", "pyarrow", "sqlalchemy", "scipy", "numpy", "procrastinate")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing examined. `remedy` is empty when all is well."""

    name: str
    well: bool
    detail: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Examine machine, parts, folder, database and clock, one after the other."""
    checks: tuple[Callable[[Settings], Finding], ...] = (
        python,
        libgomp,
        lightgbm,
        parts,
        folder,
        disk,
        sign_in,
    )
    for check in checks:
        yield check(settings)
    yield from database(settings)


def python(_: Settings) -> Finding:
    """Python itself."""
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", sys.version_info >= (3, 11), version, "install Python 3.11 or newer")


def libgomp(_: Settings) -> Finding:
    """The OpenMP runtime that LightGBM needs on Linux; slim images leave it out."""
    if sys.platform != "linux":
        return Finding("libgomp", True, "not needed on this system")
    try:
        ctypes.CDLL("libgomp.so.1")
    except OSError as error:
        return Finding(
            "libgomp",
            False,
            f"{error}; forecasts fall back to the statistical methods",
            "install it: apt-get install libgomp1, dnf install libgomp or apk add libgomp",
        )
    return Finding("libgomp", True, "libgomp.so.1 loads")


def lightgbm(_: Settings) -> Finding:
    """The forecast's main model."""
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        module = importlib.import_module("lightgbm")
    except (ImportError, OSError) as error:
        return Finding("lightgbm", False, str(error), "see libgomp, or pip install lightgbm")
    return Finding("lightgbm", True, str(module.__version__))


def parts(_: Settings) -> Finding:
    """The libraries sanhe is built from."""
    missing, found = [], []
    for name in PARTS:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    remedy = f"pip install {' '.join(missing)}" if missing else ""
    return Finding("parts", not missing, ", ".join(found), remedy)


def _nearest(path: Path) -> Path:
    while not path.exists():
        path = path.parent
    return path


def folder(settings: Settings) -> Finding:
    """The data folder can be written."""
    nearest = _nearest(settings.home)
    return Finding(
        "folder",
        os.access(nearest, os.W_OK),
        str(settings.home),
        "give a folder you may write with --home or SANHE_HOME",
    )


def disk(settings: Settings) -> Finding:
    """Room for data on the disk of the data folder."""
    free = shutil.disk_usage(_nearest(settings.home)).free / 1e9
    return Finding(
        "disk",
        free >= ENOUGH_DISK_GB,
        f"{free:,.1f} GB free",
        f"keep at least {ENOUGH_DISK_GB:.0f} GB free for database and lake",
    )


def sign_in(settings: Settings) -> Finding:
    """The ways to sign in, and whether the OpenID provider answers."""
    from sanhe.connectors.oidc import OpenIdProvider
    from sanhe.core.access import read_sign_in
    from sanhe.core.clock import SystemClock

    try:
        ways = read_sign_in(settings.sign_in)
        if ways.oidc is None:
            return Finding("sign-in", True, "name and password")
        provider = OpenIdProvider(ways.oidc, SystemClock())
        try:
            provider.begin()
        finally:
            provider.close()
    except SanheError as error:
        remedy = "mend the file of SANHE_SIGN_IN; sanhe serve --passwords lets you in meanwhile"
        return Finding("sign-in", False, str(error), remedy)
    besides = ", and name and password" if ways.local else ""
    return Finding("sign-in", True, f"{ways.oidc.issuer} answers{besides}")


def database(settings: Settings) -> Iterator[Finding]:
    """The server starts, has the present schema, a role of few rights, and the right time."""
    from sanhe.core.storage import database_errors, database_health
    from sanhe.wiring import Sanhe

    failures: tuple[type[Exception], ...] = (SanheError, OSError, *database_errors())
    try:
        with Sanhe.open(settings) as sanhe:
            health = database_health(sanhe.database)
            personal = persons(sanhe)
            drift = abs((health.now - datetime.now(UTC)).total_seconds())
    except failures as error:
        yield Finding(
            "database",
            False,
            str(error),
            "look into pg/log in the data folder, or check SANHE_DATABASE_URL",
        )
        return
    yield Finding("database", True, f"PostgreSQL {health.version}, schema {health.schema}")
    yield Finding(
        "role",
        health.owned == 0 and not health.mighty,
        f"connected as {health.role}"
        + (
            f"; the login {health.login} owns the tables and can take its rights back: "
            "keep SANHE_DATABASE_URL as secret as the owner's password"
            if health.login_owns
            else ""
        ),
        "the application must use the role sanhe_app, which owns nothing",
    )
    yield personal
    yield Finding(
        "clock",
        drift <= CLOCK_DRIFT_SECONDS,
        f"{drift:.1f} s between this machine and the database; time zone {settings.time_zone}",
        "synchronise the clocks (NTP)",
    )


def persons(sanhe: Sanhe) -> Finding:
    """The key that opens personal data is there, closed to others, and the right one."""
    from sanhe.core.persons import KeyAway
    from sanhe.wiring.work import master_keys

    with sanhe.work(actor="doctor") as work:
        wrapped = work.persons.masters()
    keys = master_keys(sanhe.settings)
    name, remedy = "personal data", "without this key it can't be read: see docs/guide/access.md"
    if not wrapped and not keys.file.exists():
        return Finding(name, True, "nothing is kept yet")
    try:
        known = {one.id for one in keys.read()}
    except KeyAway as error:
        return Finding(name, False, str(error), remedy)
    lost = sum(count for master, count in wrapped.items() if master not in known)
    if lost:
        what = f"{keys.file} is of another installation: {lost:,} keys can't be used"
        return Finding(name, False, what, remedy)
    if len(known) > 1:
        return Finding(name, False, "a rotation was cut", "run sanhe persons rotate again")
    return Finding(name, True, f"{sum(wrapped.values()):,} keys under {keys.file}")
