"""Commands for tills and other devices: device add, list, block, renew, problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from sanhe.cli.options import Actor, Home, Json, default_actor, opened
from sanhe.cli.output import Output, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.place.devices import Device

Name = Annotated[str, typer.Argument(help="The device's name, e.g. till-7.")]
PublicKey = Annotated[
    str, typer.Option("--public-key", help="Its raw Ed25519 public key, in base64 or hex.")
]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    devices = typer.Typer(help="Tills and other devices.", no_args_is_help=True)
    devices.command("add")(device_add)
    devices.command("list")(device_list)
    devices.command("block")(device_block)
    devices.command("renew")(device_renew)
    devices.command("problems")(device_problems)
    app.add_typer(devices, name="device")


def device_add(
    device: Name,
    place: Annotated[str, typer.Option("--place", help="The place it stands in.")],
    public_key: PublicKey,
    name: Annotated[str, typer.Option("--name", help="What people call it.")] = "",
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Register a device: from now on its key speaks for the place."""
    from sanhe.place.devices import public_key_of

    key = public_key_of(public_key)
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        made = work.devices.register(device, place, key, name=name)
    Output(json).show(_plain([made])[0], _devices([made]))


def device_list(
    place: Annotated[str | None, typer.Option("--place", help="Only of this place.")] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """List the devices: where they stand, how far they have synced, whether they may."""
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        found = work.devices.all(place)
    Output(json).show(_plain(found), _devices(found))


def device_block(
    device: Name,
    why: Annotated[str, typer.Option("--why", help="E.g. stolen.")] = "",
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Let a device sync no more: it is lost, or somebody has copied it."""
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        blocked = work.devices.block(device, why=why)
    Output(json).show(_plain([blocked])[0], f"{device} is blocked; sanhe device renew lets it on")


def device_renew(
    device: Name,
    public_key: PublicKey,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Give a device a new key, and let a blocked one go on with it."""
    from sanhe.place.devices import public_key_of

    key = public_key_of(public_key)
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        renewed = work.devices.renew(device, key)
    Output(json).show(_plain([renewed])[0], _devices([renewed]))


def device_problems(
    device: Annotated[str | None, typer.Argument(help="Only of this device.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many at most.")] = 100,
    home: Home = None,
    json: Json = False,
) -> None:
    """List what went wrong with devices and a person has to look at, the newest first."""
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        found = work.devices.problems(device, limit=limit)
    rows = [
        (one.at.isoformat(), one.device, "" if one.sequence is None else one.sequence, one.why)
        for one in found
    ]
    Output(json).show(found, table("", ("at", "device", "event", "why"), rows))


def _plain(devices: list[Device]) -> list[dict[str, object]]:
    return [
        {
            "id": one.id,
            "place": one.place,
            "name": one.name,
            "state": one.state,
            "blocked_why": one.blocked_why,
            "sequence": one.head.sequence,
            "hash": one.head.hash.hex(),
            "told": one.told,
            "registered_at": one.registered_at,
            "seen_at": one.seen_at,
        }
        for one in devices
    ]


def _devices(devices: list[Device]) -> RenderableType:
    rows = [
        (
            one.id,
            one.name,
            one.place,
            one.state.value,
            one.head.sequence,
            one.told,
            "" if one.seen_at is None else one.seen_at.isoformat(),
            one.blocked_why,
        )
        for one in devices
    ]
    columns = ("device", "name", "place", "state", "events", "told", "last sync", "why")
    return table("", columns, rows)
