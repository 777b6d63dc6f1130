"""Kill -9 in the middle of an import, a plan and an approval: done again, nothing lost or twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from sanhe.core.decisions import Status
from sanhe.core.facts import lock
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import ImportRequest, Sanhe, import_file
from tests.wiring.files import files
from tests.wiring.installation import State, Terminal, installed, opened, state_of

ROOT = Path(__file__).parents[2]
PLAN = ("plan", "--method", "same_weekday_mean", "--horizon", 14)
DIES_AT = """
import os, signal, sys
from pathlib import Path
from sanhe.wiring import ImportRequest, PlanRequest, import_file, plan
from sanhe.core.settings import Settings
from tests.wiring.installation import opened

work, at = sys.argv[1:3]

def report(what, done, total):
    if what == at:
        os.kill(os.getpid(), signal.SIGKILL)

with opened(Settings.from_environment()) as sanhe:
    if work == "plan":
        plan(sanhe, PlanRequest(horizon_days=14, method="same_weekday_mean"), actor="planner",
             report=report)
    else:
        import_file(sanhe, ImportRequest(Path(work)), actor="planner", report=report)
    report("committed", 1, 1)
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the tiny retailer."""
    return files(tmp_path_factory.mktemp("exports"))


@pytest.fixture
def terminal(server: EmbeddedServer, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal at an installation that holds nothing."""
    with installed(server, tmp_path / "home") as settings:
        yield Terminal(settings)


def environment(terminal: Terminal) -> dict[str, str]:
    """The terminal's environment for a process of its own."""
    paths = os.pathsep.join([str(ROOT), *sys.path])
    return {**os.environ, **terminal.environment, "PYTHONPATH": paths}


def killed(terminal: Terminal, work: object, at: str) -> None:
    """Begin the work in a process of its own, which dies by SIGKILL there."""
    ended = subprocess.run(
        [sys.executable, "-c", DIES_AT, str(work), at],
        env=environment(terminal),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def imported(sanhe: Sanhe, paths: Sequence[Path]) -> State:
    """The state after importing these files."""
    for path in paths:
        import_file(sanhe, ImportRequest(path), actor="planner")
    return state_of(sanhe)


@pytest.fixture(scope="module")
def undisturbed(
    server: EmbeddedServer, exports: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> State:
    """The state of an installation nobody disturbed."""
    with (
        installed(server, tmp_path_factory.mktemp("undisturbed")) as settings,
        opened(settings) as sanhe,
    ):
        return imported(sanhe, list(exports.values()))


def test_a_killed_import_is_done_again_whole(
    terminal: Terminal, exports: dict[str, Path], undisturbed: State
) -> None:
    *before, stock = exports.values()
    with opened(terminal.settings) as sanhe:
        partial = imported(sanhe, before)
        listed = len(terminal.asked("imports"))
        for at in ("recording", "following"):
            killed(terminal, stock, at)
            assert state_of(sanhe) == partial, f"killed at {at}: nothing is half-written"
            assert len(terminal.asked("imports")) == listed
        # The control: killed after the commit it is there, and comes as repeated.
        killed(terminal, stock, "committed")
        assert state_of(sanhe) == undisturbed != partial
        again = terminal.asked("import", stock)
        assert (again["new"], again["repeated"]) == (0, 300)
        assert state_of(sanhe) == undisturbed
    terminal.well("verify")


@pytest.fixture
def retailer(terminal: Terminal, exports: dict[str, Path]) -> Terminal:
    """A terminal at the tiny retailer, with nothing planned."""
    with opened(terminal.settings) as sanhe:
        imported(sanhe, list(exports.values()))
    return terminal


def test_a_killed_plan_is_made_again_once(retailer: Terminal) -> None:
    for at in ("bringing the lake up to date", "forecast ready", "proposing"):
        killed(retailer, "plan", at)
        assert retailer.asked("decisions", "--limit", 500) == [], f"killed at {at}"
    first = retailer.asked(*PLAN)["plan"]
    found = retailer.asked("decisions", "--limit", 500)
    assert len(found) == first["proposed"] >= 5
    # The control: killed after the commit, its proposals stay and are not made twice.
    killed(retailer, "plan", "committed")
    again = retailer.asked(*PLAN)["plan"]
    assert (again["proposed"], again["already_open"]) == (0, first["proposed"])
    assert retailer.asked("decisions", "--limit", 500) == found


def test_an_approval_killed_while_it_is_carried_out_is_ordered_once(
    retailer: Terminal, server: EmbeddedServer
) -> None:
    retailer.well(*PLAN)
    one, two = [d["number"] for d in retailer.asked("decisions", "--limit", 2)]
    with opened(retailer.settings) as sanhe:
        with sanhe.database.transaction(actor="test") as tx:
            lock(tx, "goods.suppliers.orders")  # holds the worker inside its transaction
            child = subprocess.Popen(
                [Path(sys.executable).with_name("sanhe"), "approve", str(one)],
                env=environment(retailer),
                stdout=subprocess.DEVNULL,
            )
            try:
                until_waiting(sanhe, server)
            finally:
                child.send_signal(signal.SIGKILL)
                child.wait()
        assert retailer.asked("explain", one)["status"] == "approved"
        assert retailer.asked("orders") == []
        early = retailer.well("approve", two)
        assert "2 approved wait" in early.out and "no order" not in early.out
        forget_the_dead_worker(retailer)
        retailer.well(*PLAN)
        orders = retailer.asked("orders")
        lines = [line["decision"] for order in orders for line in order["lines"]]
        assert sorted(lines) == sorted([one, two])
        assert {order["status"] for order in orders} == {"sent"}
        for number in (one, two):
            assert retailer.asked("explain", number)["status"] == Status.EXECUTED
        names = {path.stem for path in sanhe.orders_folder.iterdir()}
        assert names == {order["name"] for order in orders}


def until_waiting(sanhe: Sanhe, server: EmbeddedServer) -> None:
    """Wait until the worker waits for the lock, in the middle of its job."""
    asked = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(server.superuser_url, autocommit=True) as connection:
        for _ in range(600):
            with sanhe.work(actor="test") as work:
                doing = work.jobs.counts().get("doing")
            if doing and connection.execute(asked).fetchone() != (0,):
                return
            time.sleep(0.1)
    pytest.fail("the worker never came to its job")


def forget_the_dead_worker(terminal: Terminal) -> None:
    """Let the time pass after which a worker without a sign of life counts as dead."""
    assert terminal.settings.database_url is not None
    with psycopg.connect(terminal.settings.database_url, autocommit=True) as connection:
        connection.execute(
            "UPDATE procrastinate_workers SET last_heartbeat = now() - interval '10 minutes'"
        )
