"""The commands for the keys of personal data, and what the doctor says of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sanhe.cli.doctor import Finding, persons
from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import Sanhe
from tests.wiring.installation import Terminal, installed, opened


@pytest.fixture
def settings(server: EmbeddedServer, tmp_path: Path) -> Iterator[Settings]:
    with installed(server, tmp_path / "home") as made:
        yield made


def seal(sanhe: Sanhe, person: str) -> bytes:
    with sanhe.work(actor="lin") as work:
        return work.persons.seal(person, "name", "张小明")


def found(sanhe: Sanhe, person: str, sealed: bytes) -> str:
    with sanhe.work(actor="lin") as work:
        return work.persons.open(person, "name", sealed)


def examined(settings: Settings) -> Finding:
    with opened(settings) as sanhe:
        return persons(sanhe)


def test_keys_are_saved_lost_and_loaded_and_the_master_key_is_changed(
    settings: Settings, tmp_path: Path
) -> None:
    terminal, file = Terminal(settings), tmp_path / "keys"
    with opened(settings) as sanhe:
        sealed = seal(sanhe, "member/M-1")
        assert terminal.asked("persons", "save-keys", file) == {"keys": 1}
        with sanhe.database.transaction(actor="thief") as tx:
            tx.connection.exec_driver_sql("DELETE FROM person_key")
        assert terminal.asked("persons", "load-keys", file) == {"keys": 1}
        assert found(sanhe, "member/M-1", sealed) == "张小明"
        assert terminal.asked("persons", "rotate") == {"keys": 1}
        assert found(sanhe, "member/M-1", sealed) == "张小明"
        erase = ("persons", "erase", "--member", "M-1", "--reason", "asked")
        assert terminal.asked(*erase) == {"erased": True}
        assert "nothing to erase" in terminal.well(*erase).out
    file.write_text("{}")
    assert terminal("persons", "load-keys", file).code == 2


def test_a_new_installation_may_be_rotated(settings: Settings) -> None:
    assert Terminal(settings).asked("persons", "rotate") == {"keys": 0}


def test_the_doctor_names_a_key_that_is_away_open_to_others_or_another(settings: Settings) -> None:
    assert examined(settings) == Finding("personal data", True, "nothing is kept yet")
    with opened(settings) as sanhe:
        seal(sanhe, "member/M-1")
    file = settings.home / "persons.key"
    assert examined(settings).well
    file.chmod(0o640)
    assert "chmod 600" in examined(settings).detail
    file.chmod(0o600)
    right = file.read_bytes()
    file.write_bytes(b"0" * 64 + b"\n")
    assert "1 keys can't be used" in examined(settings).detail
    file.write_bytes(right + b"0" * 64 + b"\n")
    assert "rotate again" in examined(settings).remedy
    file.unlink()
    away = examined(settings)
    assert not away.well and "is missing" in away.detail and "access.md" in away.remedy
    shared = Settings(
        home=settings.home, database_url=settings.database_url, persons_key=settings.home / "else"
    )
    (settings.home / "else").write_bytes(right)
    (settings.home / "else").chmod(0o600)
    assert examined(shared).well
