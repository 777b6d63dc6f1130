"""Files that only their owner reads, written whole or not at all: secrets of an installation."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


def write_once(file: Path, content: bytes) -> None:
    """Write a secret; where there is one already, that one stays."""
    with _draft(file) as (draft, out):
        out.write(content)
        _keep(out)
        try:
            os.link(draft, file)
        except FileExistsError:
            return


@contextmanager
def replacing(file: Path) -> Iterator[IO[bytes]]:
    """What to write a secret to; at the end of the block it takes the place of the one before."""
    with _draft(file) as (draft, out):
        yield out
        _keep(out)
        draft.replace(file)


@contextmanager
def _draft(file: Path) -> Iterator[tuple[Path, IO[bytes]]]:
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = file.with_name(f"{file.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "wb") as out:
            yield draft, out
    finally:
        draft.unlink(missing_ok=True)


def _keep(out: IO[bytes]) -> None:
    out.flush()
    os.fsync(out.fileno())
