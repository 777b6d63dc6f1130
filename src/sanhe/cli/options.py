"""Options that several commands share, and how a command opens sanhe."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.core.errors import BadInput
from sanhe.core.settings import Settings

if TYPE_CHECKING:
    from sanhe.wiring import Sanhe

Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
Home = Annotated[
    Path | None,
    typer.Option("--home", help="Folder of database, lake and files [env: SANHE_HOME]."),
]
Actor = Annotated[
    str, typer.Option("--actor", help="Who acts, for the trail.", envvar="SANHE_ACTOR")
]
AsOf = Annotated[
    str | None,
    typer.Option(
        "--as-of", help="The morning to plan for, YYYY-MM-DD [default: after the last sale]."
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option("--policy", help="The policy's TOML file [default: SANHE_POLICY or as shipped]."),
]
Numbers = Annotated[list[int] | None, typer.Argument(help="Decision numbers.", show_default=False)]


def default_actor() -> str:
    """The name of the person at this machine, or "operator" where it has none."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def settings(home: Path | None) -> Settings:
    """The settings of the environment, with the folder that was asked for."""
    found = Settings.from_environment()
    return replace(found, home=home.expanduser().resolve()) if home else found


@contextmanager
def opened(home: Path | None) -> Iterator[Sanhe]:
    """Sanhe on its data, closed at the end."""
    from sanhe.wiring import Sanhe

    with Sanhe.open(settings(home)) as sanhe:
        yield sanhe


def day(text: str | None, *, option: str) -> date | None:
    """A day typed as YYYY-MM-DD; raises BadInput naming the option."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInput(
            f"{text!r} is no day", place=option, remedy="write it as YYYY-MM-DD"
        ) from error


def require_folder(out: Path) -> None:
    """Refuse, before any work, a file to write whose folder is missing (BadInput)."""
    if not out.resolve().parent.is_dir():
        raise BadInput("there is no such folder", place=str(out), remedy="make the folder first")
