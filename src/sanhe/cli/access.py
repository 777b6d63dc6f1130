"""Commands that say who may see and do what: account add …, key add …."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

import typer

from sanhe.cli.options import Actor, Home, Json, default_actor, opened
from sanhe.cli.output import Output, table
from sanhe.core.errors import BadInput

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sanhe.core.access import Account, Key

Roles = Annotated[
    list[str] | None,
    typer.Option(
        "--role",
        help="planner, buyer, pricing, growth, store, service, supplier or admin; may be repeated.",
    ),
]
Places = Annotated[
    list[str] | None,
    typer.Option(
        "--place", help="A place it may see, with all below it; may be repeated [default: all]."
    ),
]
Suppliers = Annotated[
    list[str] | None,
    typer.Option("--supplier", help="Of a supplier's account: its code; may be repeated."),
]
Name = Annotated[str, typer.Argument(help="The account's name.")]


def register(app: typer.Typer) -> None:
    """Add these commands to the application."""
    accounts = typer.Typer(help="People's accounts.", no_args_is_help=True)
    accounts.command("add")(account_add)
    accounts.command("list")(account_list)
    accounts.command("change")(account_change)
    accounts.command("password")(account_password)
    accounts.command("link")(account_link)
    app.add_typer(accounts, name="account")
    keys = typer.Typer(help="Keys of programs and devices.", no_args_is_help=True)
    keys.command("add")(key_add)
    keys.command("list")(key_list)
    keys.command("revoke")(key_revoke)
    app.add_typer(keys, name="key")


def account_add(
    name: Name,
    roles: Roles = None,
    places: Places = None,
    suppliers: Suppliers = None,
    language: Annotated[str, typer.Option(help="zh-CN or en.")] = "zh-CN",
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Make an account; its password is asked for, or is the first line of stdin."""
    password = _new_password()
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        made = work.access.add(
            name,
            password,
            roles=roles or [],
            places=places or None,
            suppliers=suppliers or None,
            language=language,
        )
    Output(json).show(made, _accounts([made]))


def account_list(home: Home = None, json: Json = False) -> None:
    """List the accounts: roles, what they see, whether they may sign in."""
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        found = work.access.accounts()
    Output(json).show(found, _accounts(found))


def account_change(
    name: Name,
    roles: Roles = None,
    places: Places = None,
    all_places: Annotated[bool, typer.Option("--all-places", help="It may see them all.")] = False,
    suppliers: Suppliers = None,
    no_suppliers: Annotated[
        bool, typer.Option("--no-suppliers", help="It is no supplier's any more.")
    ] = False,
    active: Annotated[
        bool | None,
        typer.Option("--active/--inactive", help="Whether it may sign in.", show_default=False),
    ] = None,
    language: Annotated[str | None, typer.Option(help="zh-CN or en.")] = None,
    drop_second_factor: Annotated[
        bool, typer.Option("--drop-second-factor", help="Its device is lost: ask for no code.")
    ] = False,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Change an account: only what is named; roles and places as a whole."""
    if (all_places and places) or (no_suppliers and suppliers):
        raise BadInput("all and some at once", remedy="give one of the two options")
    changes: dict[str, Any] = {}
    if roles:
        changes["roles"] = roles
    if places or all_places:
        changes["places"] = places or None
    if suppliers or no_suppliers:
        changes["suppliers"] = suppliers or None
    if active is not None:
        changes["active"] = active
    if language:
        changes["language"] = language
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        if drop_second_factor:
            work.access.drop_second_factor(name)
        changed = work.access.change(name, **changes)
    Output(json).show(changed, _accounts([changed]))


def account_password(name: Name, actor: Actor = "", home: Home = None, json: Json = False) -> None:
    """Give an account another password, asked for or from stdin; its sessions end."""
    password = _new_password()
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        work.access.set_password(name, password)
    Output(json).show({"name": name}, f"{name} has a new password; its sessions are over")


def account_link(
    name: Name,
    subject: Annotated[str, typer.Argument(help="The provider's claim `sub` of this person.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Let somebody sign in as this account at the OpenID provider of the settings."""
    from sanhe.core.access import read_sign_in

    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        oidc = read_sign_in(sanhe.settings.sign_in).oidc
        if oidc is None:
            raise BadInput(
                "no OpenID provider is set up",
                place="SANHE_SIGN_IN",
                remedy="name a file with [oidc]; docs/guide/access.md has one",
            )
        linked = work.access.link(name, oidc.issuer, subject=subject)
    Output(json).show(linked, f"{subject} of {oidc.issuer} signs in as {linked.name}")


def key_add(
    label: Annotated[str, typer.Argument(help="What it is for, e.g. 'ERP export'.")],
    roles: Roles = None,
    places: Places = None,
    suppliers: Suppliers = None,
    expires: Annotated[
        str | None, typer.Option(help="When it ends, e.g. 2030-01-01T00:00+08:00 [default: never].")
    ] = None,
    device: Annotated[
        bool, typer.Option("--device", help="Of a till or scanner: it names its places.")
    ] = False,
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Make a key for a program or a device. The secret is shown this once."""
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        secret = work.access.add_key(
            label,
            roles=roles or [],
            places=places or None,
            suppliers=suppliers or None,
            expires_at=_moment(expires),
            device=device,
        )
    Output(json).show({"secret": secret}, secret)


def key_list(home: Home = None, json: Json = False) -> None:
    """List the keys, also those that are no longer taken; never their secrets."""
    with opened(home) as sanhe, sanhe.work(actor=default_actor()) as work:
        found = work.access.keys()
    Output(json).show(found, _keys(found))


def key_revoke(
    key: Annotated[UUID, typer.Argument(help="Its id, as `sanhe key list` shows it.")],
    actor: Actor = "",
    home: Home = None,
    json: Json = False,
) -> None:
    """Take a key no longer, from now on."""
    with opened(home) as sanhe, sanhe.work(actor=actor or default_actor()) as work:
        work.access.revoke_key(key)
    Output(json).show({"revoked": key}, f"key {key} is no longer taken")


def _new_password() -> str:
    """The password typed twice without echo, or the first line of a stdin that is no terminal."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    return given


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(
            f"{text!r} is no moment", place="--expires", remedy="write 2030-01-01T00:00+08:00"
        ) from error


def _seen(names: tuple[str, ...] | None) -> str:
    return "all" if names is None else ", ".join(names)


def _accounts(found: list[Account]) -> RenderableType:
    rows = [
        (
            a.name,
            ", ".join(sorted(a.roles)),
            _seen(a.places),
            _seen(a.suppliers),
            a.language,
            a.active,
            a.has_second_factor,
        )
        for a in found
    ]
    columns = ("name", "roles", "places", "suppliers", "language", "active", "second factor")
    return table("", columns, rows)


def _keys(found: list[Key]) -> RenderableType:
    rows = [
        (
            str(k.id),
            k.label,
            ", ".join(sorted(k.roles)),
            _seen(k.places),
            "device" if k.device else "program",
            "" if k.expires_at is None else k.expires_at.isoformat(),
            k.revoked_at is None,
        )
        for k in found
    ]
    return table("", ("key", "label", "roles", "places", "of", "expires", "taken"), rows)
