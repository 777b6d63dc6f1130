"""The daily run: waiting files in any order, one run at a time, killed and started again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanhe.core.decisions import Status
from sanhe.core.errors import BadInput, Conflict
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import DailyRequest, PlanRequest, Sanhe, run_daily, take_in
from tests.wiring.files import SALES, files, written
from tests.wiring.installation import Terminal, installed, opened, state_of

ROOT = Path(__file__).parents[2]
PLAN = PlanRequest(horizon_days=14, method="same_weekday_mean", changed=True)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the tiny retailer."""
    return files(tmp_path_factory.mktemp("exports"))


@pytest.fixture
def terminal(server: EmbeddedServer, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal at an installation that holds nothing."""
    with installed(server, tmp_path / "home") as settings:
        yield Terminal(settings)


def inbox(terminal: Terminal) -> Path:
    folder = terminal.settings.home / "inbox"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def delivered(exports: dict[str, Path], folder: Path) -> None:
    """Put the exports into the inbox under names whose order is the wrong one."""
    for number, path in enumerate(reversed(exports.values())):
        shutil.copy(path, folder / f"{number}-{path.name}")


def open_lines(sanhe: Sanhe) -> list[tuple[str | None, str | None, int]]:
    with sanhe.work(actor="auditor") as work:
        found = work.decisions.find(statuses={Status.PROPOSED}, limit=10_000)
    return sorted((d.proposal.subject.sku, d.proposal.subject.place, d.value) for d in found)


def test_files_are_taken_in_whatever_their_order(
    terminal: Terminal, exports: dict[str, Path]
) -> None:
    folder = inbox(terminal)
    delivered(exports, folder)
    (folder / "notes.pdf").write_text("not ours")
    (folder / ".half.csv").write_text("still being written")
    with opened(terminal.settings) as sanhe:
        taken = take_in(sanhe, folder, actor="clock")
    assert [one.refused for one in taken] == [None] * len(exports)
    assert sorted(one.name for one in taken) == sorted(
        f"{number}-{path.name}" for number, path in enumerate(reversed(exports.values()))
    )
    assert sorted(path.name for path in folder.iterdir()) == [".half.csv", "done", "notes.pdf"]
    assert len(list((folder / "done").iterdir())) == len(exports)


def test_a_refused_file_stays_and_keeps_the_run_from_planning(
    terminal: Terminal, exports: dict[str, Path]
) -> None:
    folder = inbox(terminal)
    delivered(exports, folder)
    wrong = written(folder / "late.csv", SALES, [("2025-09-24", "NOWHERE", "SKU-0001", 3, 1, 1)])
    refused = terminal("run", "daily", "--method", "same_weekday_mean", "--json")
    assert refused.code == 2
    (told,) = [one for one in refused.json["taken"] if one["refused"]]
    assert told["name"] == "late.csv" and "NOWHERE" in told["refused"]
    assert refused.json["planned"] is None and wrong.exists()
    shown = terminal("run", "daily", "--method", "same_weekday_mean")
    assert (shown.code, "nothing was planned" in shown.out) == (2, True)
    anyway = terminal("run", "daily", "--method", "same_weekday_mean", "--plan-anyway", "--json")
    assert anyway.code == 2 and anyway.json["planned"]["plan"]["proposed"] > 0
    wrong.unlink()
    assert terminal("run", "daily", "--method", "same_weekday_mean").code == 0


def test_started_again_it_changes_nothing(terminal: Terminal, exports: dict[str, Path]) -> None:
    delivered(exports, inbox(terminal))
    with opened(terminal.settings) as sanhe:
        request = DailyRequest(plan=PLAN)
        first = run_daily(sanhe, request, actor="clock")
        before = (state_of(sanhe), open_lines(sanhe))
        assert first.planned is not None and first.planned.plan.proposed > 0
        # The same files come once more, and the run once more.
        delivered(exports, inbox(terminal))
        again = run_daily(sanhe, request, actor="clock")
        assert [one.new for one in again.taken] == [0] * len(exports)
        assert again.planned is not None
        assert (again.planned.refreshed, again.planned.plan.proposed) == (0, 0)
        assert (state_of(sanhe), open_lines(sanhe)) == before
        # Neither file of a name that came twice is lost.
        assert len(list((inbox(terminal) / "done").iterdir())) == 2 * len(exports)


def test_two_runs_at_once_are_refused_and_the_second_does_nothing(
    terminal: Terminal, exports: dict[str, Path]
) -> None:
    delivered(exports, inbox(terminal))
    with opened(terminal.settings) as sanhe:
        with sanhe.lake.exclusive("daily"):
            with pytest.raises(Conflict, match="another daily run"):
                run_daily(sanhe, DailyRequest(plan=PLAN), actor="clock")
            assert len(list(inbox(terminal).iterdir())) == len(exports)
        # The control: once the other has ended, the same call works.
        assert run_daily(sanhe, DailyRequest(plan=PLAN), actor="clock").planned is not None


def test_a_missing_inbox_is_named(terminal: Terminal, tmp_path: Path) -> None:
    with opened(terminal.settings) as sanhe, pytest.raises(BadInput, match="no such folder"):
        run_daily(sanhe, DailyRequest(inbox=tmp_path / "nowhere"), actor="clock")


DIES_AT = """
import os, signal, sys
from sanhe.core.settings import Settings
from sanhe.wiring import DailyRequest, PlanRequest, run_daily
from tests.wiring.installation import opened

def report(what, done, total):
    if what == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)

plan = PlanRequest(horizon_days=14, method="same_weekday_mean")
with opened(Settings.from_environment()) as sanhe:
    run_daily(sanhe, DailyRequest(plan=plan), actor="clock", report=report)
"""


@pytest.mark.parametrize("at", ["bringing the lake up to date", "forecast ready", "proposing"])
def test_a_killed_run_is_started_again_and_ends_the_same(
    server: EmbeddedServer, tmp_path: Path, exports: dict[str, Path], at: str
) -> None:
    ends = []
    for name, killed in (("undisturbed", False), ("killed", True)):
        with installed(server, tmp_path / name) as settings:
            terminal = Terminal(settings)
            delivered(exports, inbox(terminal))
            if killed:
                paths = os.pathsep.join([str(ROOT), *sys.path])
                ended = subprocess.run(
                    [sys.executable, "-c", DIES_AT, at],
                    env={**os.environ, **terminal.environment, "PYTHONPATH": paths},
                    capture_output=True,
                    text=True,
                    timeout=120,
                    check=False,
                )
                assert ended.returncode == -signal.SIGKILL, ended.stderr
            with opened(settings) as sanhe:
                run_daily(sanhe, DailyRequest(plan=PLAN), actor="clock")
                ends.append((state_of(sanhe), open_lines(sanhe)))
    assert ends[0] == ends[1] and ends[0][1]
