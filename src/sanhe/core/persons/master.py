"""The master key, which wraps the keys of persons: a file beside the database, never in it.

The file has a key in hex on each line; lines that begin with # say what it is. The first one wraps
what is new. Others are there while the keys are wrapped anew, and only unwrap.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sanhe.core.errors import Code, Temporary
from sanhe.core.persons.sealing import KEY_BYTES
from sanhe.core.secret_file import replacing, write_once

_HEAD: Final = b"# Opens the personal data of this sanhe. Keep a copy, apart from all backups.\n"


class KeyAway(Temporary):
    """Personal data can't be opened or sealed now: a key is not where it should be."""

    code = Code.KEY_AWAY

    def __init__(self, what: str) -> None:
        super().__init__(what, delay_seconds=60)


@dataclass(frozen=True, slots=True)
class Master:
    """A master key; `id` names it without telling it."""

    secret: bytes = field(repr=False)

    @property
    def id(self) -> str:
        """The first 64 bits of a hash of the key, in hex."""
        return hashlib.sha256(b"sanhe master key" + self.secret).hexdigest()[:16]

    def mark(self, text: str) -> str:
        """Tells a text from others to who has the key, and nothing to who has not (HMAC)."""
        purpose = hmac.digest(self.secret, b"sanhe mark 1", "sha256")
        return hmac.digest(purpose, text.encode(), "sha256").hex()


class MasterKeys:
    """The master keys in a file. It is read anew each time, as it may be replaced meanwhile."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def make_first(self) -> None:
        """Make the file with one new key; where there is one already, that one stays."""
        if not self.file.exists():
            try:
                write_once(self.file, _written([Master(secrets.token_bytes(KEY_BYTES))]))
            except OSError as error:
                raise KeyAway(f"{self.file} can't be written: {error.strerror}") from error

    def read(self) -> list[Master]:
        """The keys, the one that wraps first. Raises KeyAway for a file that can't be used."""
        try:
            if self.file.stat().st_mode & 0o077:
                raise KeyAway(f"others can read {self.file}: chmod 600 it")
            lines = self.file.read_bytes().splitlines()
        except FileNotFoundError as error:
            raise KeyAway(
                f"{self.file} is missing: bring the file back that this data was sealed with"
            ) from error
        except OSError as error:
            raise KeyAway(f"{self.file} can't be read: {error.strerror}") from error
        try:
            found = [Master(bytes.fromhex(line.decode())) for line in lines if line[:1] != b"#"]
        except ValueError:
            found = []
        if not found or any(len(one.secret) != KEY_BYTES for one in found):
            raise KeyAway(f"{self.file} holds no master key: bring back the one that was there")
        return found

    def of(self, name: str) -> Master:
        """The key of this id. Raises KeyAway where the file has it not."""
        for one in self.read():
            if one.id == name:
                return one
        raise KeyAway(f"{self.file} is of another installation: master key {name} is not in it")

    def begin_rotation(self) -> Master:
        """Put a new key before those there are."""
        new = Master(secrets.token_bytes(KEY_BYTES))
        self._replace([new, *self.read()])
        return new

    def end_rotation(self) -> None:
        """Leave none but the first key."""
        self._replace(self.read()[:1])

    def _replace(self, keys: Sequence[Master]) -> None:
        try:
            with replacing(self.file) as out:
                out.write(_written(keys))
        except OSError as error:
            raise KeyAway(f"{self.file} can't be written: {error.strerror}") from error


def _written(keys: Sequence[Master]) -> bytes:
    return _HEAD + b"".join(one.secret.hex().encode() + b"\n" for one in keys)
