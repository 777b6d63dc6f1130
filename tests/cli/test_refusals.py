"""What goes wrong outside of sanhe is one line and a code, not a traceback."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import psycopg
import pytest

from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from tests.wiring.installation import Terminal, installed

TOO_LONG = "n" * 300


def test_what_the_system_refuses_is_one_line_and_a_code(tmp_path: Path) -> None:
    sanhe = Terminal(Settings(home=tmp_path))
    ended = sanhe("verify", tmp_path / TOO_LONG)
    assert ended.code == 1
    assert "Traceback" not in ended.err
    assert TOO_LONG in ended.err and os.strerror(errno.ENAMETOOLONG) in ended.err
    told = sanhe("verify", tmp_path / TOO_LONG, "--json")
    assert told.code == 1
    assert told.refused["error"] == "OSError" and TOO_LONG in told.refused["message"]


def test_brackets_in_a_refusal_are_kept(tmp_path: Path) -> None:
    ended = Terminal(Settings(home=tmp_path))("verify", tmp_path / "saved [kg] [" / "x")
    assert ended.code == 2
    assert "saved [kg] [/x" in ended.err


def test_a_database_that_can_not_serve_is_one_line_and_a_code(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    with installed(server, tmp_path / "home") as settings:
        url = str(settings.database_url)
        hasty = Settings(home=settings.home, database_url=f"{url}&options=-c%20lock_timeout%3D50ms")
        with psycopg.connect(url) as owner:
            owner.execute("LOCK TABLE fact_batch IN ACCESS EXCLUSIVE MODE")
            ended = Terminal(hasty)("imports")
            told = Terminal(hasty)("imports", "--json")
        assert Terminal(hasty)("imports").code == 0
    assert ended.code == told.code == 1
    assert "Traceback" not in ended.err and len(ended.err.splitlines()) == 1
    assert "lock timeout" in ended.err and "SELECT" not in ended.err
    assert told.refused["error"] == "OperationalError"


def test_a_fault_of_ours_is_not_hidden(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Negative control: only what the database or the system refuses becomes a line."""

    def broken(folder: Path) -> None:
        raise KeyError("ours")

    monkeypatch.setattr("sanhe.core.storage.check_backup", broken)
    with pytest.raises(KeyError, match="ours"):
        Terminal(Settings(home=tmp_path))("verify", tmp_path)
