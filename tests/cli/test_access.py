"""Accounts and keys at the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from sanhe.core.storage import EmbeddedServer
from tests.wiring.installation import Ended, Terminal, installed

PASSWORD = "otter plum quarry 91"


@pytest.fixture
def fresh(server: EmbeddedServer, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal at an installation that holds nothing."""
    with installed(server, tmp_path / "home") as settings:
        yield Terminal(settings)


def typed(sanhe: Terminal, *words: str, text: str, monkeypatch: pytest.MonkeyPatch) -> Ended:
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    return sanhe(*words, "--json")


def test_an_account_is_made_changed_and_listed_with_its_password_from_stdin(
    fresh: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = ("account", "add", "lin", "--role", "planner", "--role", "buyer")
    made = typed(fresh, *add, text=PASSWORD + "\n", monkeypatch=monkeypatch)
    assert (made.code, made.json["name"], made.json["places"]) == (0, "lin", None)
    again = typed(fresh, *add, text=PASSWORD + "\n", monkeypatch=monkeypatch)
    assert (again.code, again.refused["error"]) == (4, "Conflict")
    short = typed(fresh, *add, text="short\n", monkeypatch=monkeypatch)
    assert (short.code, "short" in short.err) == (2, False)
    changed = fresh.asked(
        "account", "change", "lin", "--inactive", "--role", "planner", "--language", "en"
    )
    assert changed == fresh.asked("account", "list")[0]
    assert (changed["active"], changed["roles"], changed["language"]) == (False, ["planner"], "en")
    other = typed(
        fresh, "account", "password", "lin", text="heron slate bottle\n", monkeypatch=monkeypatch
    )
    assert other.code == 0
    assert fresh("account", "change", "nobody", "--active").code == 3
    assert "planner" in fresh.well("account", "list").out


def test_a_key_is_shown_once_listed_without_its_secret_and_revoked(fresh: Terminal) -> None:
    secret = fresh.asked("key", "add", "ERP export", "--role", "planner")["secret"]
    listed = fresh.well("key", "list", "--json")
    assert secret not in listed.out
    (key,) = listed.json
    assert (key["label"], key["revoked_at"]) == ("ERP export", None)
    fresh.well("key", "revoke", key["id"])
    assert fresh.asked("key", "list")[0]["revoked_at"]
    assert fresh("key", "add", "till", "--role", "store", "--device").code == 2
    assert fresh("key", "add", "x", "--role", "planner", "--expires", "soon").code == 2
    assert fresh("key", "revoke", "00000000-0000-0000-0000-000000000000").code == 3
