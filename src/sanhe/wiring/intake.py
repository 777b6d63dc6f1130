"""The inbox: files that wait in a folder are taken in, whatever order their names are in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.wiring.imports import ImportRequest, import_file
from sanhe.wiring.progress import Report, silent

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe

SUFFIXES = frozenset({".csv", ".tsv", ".txt", ".xlsx", ".parquet"})
"""What is taken for a file to import; others, and names that begin with a dot, are left alone."""

DONE = "done"
"""The folder below the inbox into which files go once their facts are recorded."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What came of one file: `new` facts and those known before, or why it was `refused`."""

    name: str
    new: int = 0
    repeated: int = 0
    refused: str | None = None


def take_in(
    sanhe: Sanhe,
    folder: Path,
    template: ImportRequest | None = None,
    *,
    actor: str,
    report: Report = silent,
) -> tuple[TakenIn, ...]:
    """Import every file that waits in `folder`, and move it to `done` below it.

    A file that names codes nobody has described yet is tried again after the others, so that
    sales may come before the items they name. What is refused stays where it is. A file is moved
    once its facts are recorded; one that a kill leaves behind is imported again, which changes
    nothing. `template` holds the options of every import. Raises BadInput for no such folder.
    """
    if not folder.is_dir():
        raise BadInput("no such folder", place=str(folder), remedy="make it, or name another")
    options = template or ImportRequest(folder)
    waiting = sorted(_waiting(folder))
    taken: list[TakenIn] = []
    refused: dict[Path, str] = {}
    while waiting:
        refused = {}
        for path in waiting:
            report("taking in files", len(taken), len(taken) + len(waiting))
            try:
                done = import_file(sanhe, replace(options, path=path), actor=actor)
            except (BadInput, Conflict, NotFound) as error:
                refused[path] = str(error)
                continue
            _put_away(path)
            taken.append(TakenIn(path.name, done.new, done.repeated))
        # Another round helps only when something that was taken in may be what was missing.
        waiting = list(refused) if 0 < len(refused) < len(waiting) else []
    return (*taken, *(TakenIn(path.name, refused=reason) for path, reason in refused.items()))


def _waiting(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file():
            yield path


def _put_away(path: Path) -> None:
    """Move a file to `done`; one of the same name that lies there already keeps its place."""
    done = path.parent / DONE
    done.mkdir(exist_ok=True)
    target, number = done / path.name, 1
    while target.exists():
        number += 1
        target = done / f"{path.stem}-{number}{path.suffix}"
    path.rename(target)
