"""Installations for tests from outside: a database of their own, a home, and a terminal.

The command line runs in this process through its real `main`, so that exit codes, messages and
`--json` are those of a user's terminal, without a second start of the interpreter.
"""

from __future__ import annotations

import io
import itertools
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import psycopg

from sanhe.cli.app import main
from sanhe.core.clock import FixedClock
from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.models.forecast import FAST
from sanhe.wiring import Sanhe

NUMBERS = itertools.count(1)
MORNING = datetime(2025, 9, 25, tzinfo=UTC)
"""The morning the tiny world is planned for."""


@contextmanager
def installed(server: EmbeddedServer, home: Path) -> Iterator[Settings]:
    """Settings with a fresh, migrated database of their own; gone at the end."""
    name = f"installation{next(NUMBERS)}"
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE sanhe OWNER sanhe_owner")
        try:
            url = server.url(user="sanhe_owner", database=name)
            yield Settings(home=home, database_url=url)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def opened(settings: Settings, *, at: datetime = MORNING) -> Iterator[Sanhe]:
    """The installation at a moment, with forecasts that cost little."""
    with Sanhe.open(settings, clock=FixedClock(at), effort=FAST) as sanhe:
        yield sanhe


@dataclass(frozen=True)
class State:
    """What must not depend on the order of deliveries: facts, net stock, open orders."""

    digest: str
    on_hand: Mapping[tuple[str, str], int]
    on_order: Mapping[tuple[str, str], int]


def state_of(sanhe: Sanhe) -> State:
    """The canonical state of an installation."""
    with sanhe.work(actor="auditor") as work:
        positions = work.stock.positions().to_pylist()
        open_lines = work.suppliers.on_order(date(2025, 9, 25)).to_pylist()
        digest = work.facts.digest()
    on_order: dict[tuple[str, str], int] = {}
    for line in open_lines:
        key = (line["sku"], line["place"])
        on_order[key] = on_order.get(key, 0) + line["quantity"]
    return State(digest, {(p["sku"], p["place"]): p["net"] for p in positions}, on_order)


@dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The JSON document on stdout."""
        return json.loads(self.out)

    @property
    def refused(self) -> Any:
        """The refusal that `--json` writes to stderr."""
        return json.loads(self.err)["refused"]


@dataclass(frozen=True)
class Terminal:
    """Types commands into one installation, as the planner."""

    settings: Settings

    @property
    def environment(self) -> dict[str, str]:
        """What a user would have exported."""
        return {
            "SANHE_HOME": str(self.settings.home),
            "SANHE_DATABASE_URL": self.settings.database_url or "",
            "SANHE_ACTOR": "planner",
        }

    def __call__(self, *words: object) -> Ended:
        """Run `sanhe WORDS` to its end."""
        arguments, environment = sys.argv, dict(os.environ)
        out, err = io.StringIO(), io.StringIO()
        code = 0
        sys.argv = ["sanhe", *map(str, words)]
        os.environ.update(self.environment)
        try:
            with redirect_stdout(out), redirect_stderr(err):
                main()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
        finally:
            sys.argv = arguments
            os.environ.clear()
            os.environ.update(environment)
        return Ended(code, out.getvalue(), err.getvalue())

    def well(self, *words: object) -> Ended:
        """Run a command that must succeed."""
        ended = self(*words)
        assert ended.code == 0, f"sanhe {' '.join(map(str, words))}: {ended.err}{ended.out}"
        return ended

    def asked(self, *words: object) -> Any:
        """The JSON answer of a command that must succeed."""
        return self.well(*words, "--json").json
