"""Commands for personal data: persons erase, rotate, save-keys, load-keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from sanhe.cli.options import Actor, Home, Json, default_actor, opened
from sanhe.cli.output import Output


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    persons = typer.Typer(help="Personal data: erased, and its keys.", no_args_is_help=True)
    persons.command("erase")(persons_erase)
    persons.command("rotate")(persons_rotate)
    persons.command("save-keys")(persons_save_keys)
    persons.command("load-keys")(persons_load_keys)
    app.add_typer(persons, name="persons")


def persons_erase(
    reason: Annotated[str, typer.Option("--reason", help="Why, for the trail; name nobody.")],
    member: Annotated[
        str | None, typer.Option("--member", help="A member's code: all that is kept of them.")
    ] = None,
    order: Annotated[
        int | None, typer.Option("--order", help="A guest's order, by its number.", min=1)
    ] = None,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Erase somebody's personal data for good: here, in every copy and in every backup."""
    from sanhe.cli.sales import find_order
    from sanhe.core.errors import BadInput
    from sanhe.wiring import By, erase_person

    if (member is None) == (order is None):
        raise BadInput("name either --member or --order", remedy="who is to be erased")
    with opened(home) as sanhe:
        found = None if order is None else find_order(sanhe, order).id
        by = By(actor or default_actor())
        erased = erase_person(sanhe, reason, member=member, order=found, by=by)
    Output(json).show({"erased": erased}, "erased" if erased else "there was nothing to erase")


def persons_rotate(home: Home = None, json: Json = False) -> None:
    """Put a new master key in place of the one there is; what is sealed stays as it is.

    Save the keys anew afterwards: those that were saved before need the old master key.
    """
    from sanhe.core.persons import rotate
    from sanhe.wiring.work import master_keys

    with opened(home) as sanhe:
        count = rotate(sanhe.database, master_keys(sanhe.settings))
    Output(json).show({"keys": count}, f"{count:,} keys are under a new master key: save them")


def persons_save_keys(
    file: Annotated[Path, typer.Argument(help="Takes the place of the file before.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Save the keys of persons, which are in no backup. Keep none of the files before."""
    from sanhe.core.persons import save_keys

    with opened(home) as sanhe:
        count = save_keys(sanhe.database, file)
    Output(json).show({"keys": count}, f"saved {count:,} keys to {file}")


def persons_load_keys(
    file: Annotated[Path, typer.Argument(help="What `sanhe persons save-keys` wrote last.")],
    home: Home = None,
    json: Json = False,
) -> None:
    """Bring the keys of persons back after a restore. Who was erased stays erased."""
    from sanhe.core.persons import load_keys

    with opened(home) as sanhe:
        count = load_keys(sanhe.database, file)
    Output(json).show({"keys": count}, f"{count:,} keys are back")
