"""Saving the keys of persons apart from the data, and loading them after a restore.

The file has a line of JSON for each key and each destroyed one, and a last line with their number.
The keys in it are wrapped: without the master key's file it opens nothing.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from sanhe.core.errors import BadInput
from sanhe.core.persons import store
from sanhe.core.persons.persons import ACTOR
from sanhe.core.persons.sealing import WrappedKey
from sanhe.core.secret_file import replacing
from sanhe.core.storage import Database

_AT_ONCE: Final = 1_000


def save_keys(database: Database, file: Path) -> int:
    """Write all keys into a file that takes the place of the one before; how many keys.

    A destroyed key is not in it any more, and is named as destroyed.
    """
    count = lines = 0
    with database.transaction(actor=ACTOR) as tx, replacing(file) as out:
        for erased in store.all_erasures(tx):
            at = erased["erased_at"].isoformat()
            told = {"erased": str(erased["key"]), "person": erased["person"], "at": at}
            out.write(_line({**told, "actor": erased["actor"]}))
            lines += 1
        for key in store.all_keys(tx):
            out.write(_line(_told(key)))
            count += 1
        out.write(_line({"lines": lines + count}))
    return count


def load_keys(database: Database, file: Path) -> int:
    """Bring saved keys back, all or none; how many were missing here.

    What was destroyed, here or where the file was written, stays destroyed. Raises BadInput for a
    file that is not whole.
    """
    with database.transaction(actor=ACTOR) as tx:
        before = sum(store.masters(tx).values())
        keys: list[WrappedKey] = []
        erased: list[dict[str, Any]] = []
        for one in _read(file):
            if isinstance(one, WrappedKey):
                keys.append(one)
            else:
                erased.append(one)
            if len(keys) + len(erased) >= _AT_ONCE:
                _add(tx, keys, erased)
                keys, erased = [], []
        _add(tx, keys, erased)
        return sum(store.masters(tx).values()) - before


def _add(tx: Any, keys: list[WrappedKey], erased: list[dict[str, Any]]) -> None:
    """A key whose person has another one by now opens what it sealed, and seals no more."""
    store.add_erasures(tx, erased)
    store.add(tx, keys)
    store.add(tx, [WrappedKey(k.id, k.person, k.wrapped, k.master, False) for k in keys])


def _told(key: WrappedKey) -> dict[str, Any]:
    wrapped = base64.b64encode(key.wrapped).decode()
    named = {"key": str(key.id), "person": key.person, "master": key.master}
    return {**named, "wrapped": wrapped, "current": key.is_current}


def _key(told: dict[str, Any]) -> WrappedKey:
    return WrappedKey(
        UUID(told["key"]),
        told["person"],
        base64.b64decode(told["wrapped"]),
        told["master"],
        told["current"],
    )


def _erasure(told: dict[str, Any]) -> dict[str, Any]:
    named = {"key": told["erased"], "person": told["person"], "actor": told["actor"]}
    return {**named, "erased_at": told["at"]}


def _read(file: Path) -> Iterator[WrappedKey | dict[str, Any]]:
    """The keys and erasures in a file that is whole."""
    count, end = 0, None
    try:
        with file.open(encoding="utf-8") as lines:
            for line in lines:
                told = json.loads(line)
                if "lines" in told:
                    end = told["lines"]
                    break
                count += 1
                yield _erasure(told) if "erased" in told else _key(told)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise _unusable(file, "can't be read") from error
    if end != count:
        raise _unusable(file, "is not whole")


def _unusable(file: Path, why: str) -> BadInput:
    return BadInput(why, place=str(file), remedy="give a file of sanhe persons save-keys")


def _line(told: dict[str, Any]) -> bytes:
    return json.dumps(told, ensure_ascii=False).encode() + b"\n"
