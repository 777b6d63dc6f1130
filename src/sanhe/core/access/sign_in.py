"""How people may sign in: by name and password, and at an OpenID provider; read from a file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from sanhe.core.access import rules
from sanhe.core.access.ports import Role
from sanhe.core.errors import BadInput
from sanhe.core.toml import Page, Table

SECRET: Final = "SANHE_OIDC_SECRET"
"""The environment's name for the client's secret, where no file holds it."""
EVERY_PLACE: Final = "all"


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may be whose `claim` is, or contains, `value`.

    `places`: codes; None = all. `places_claim` and `suppliers_claim` name claims that hold codes.
    """

    claim: str
    value: str
    roles: frozenset[Role]
    places: tuple[str, ...] | None = ()
    places_claim: str | None = None
    suppliers: tuple[str, ...] = ()
    suppliers_claim: str | None = None


@dataclass(frozen=True, slots=True)
class Oidc:
    """An OpenID provider and what its claims are worth here.

    `address`: where browsers reach sanhe, which the provider sends them back to. `secret`: None
    for a public client. `domains`: the e-mail domains let in; empty = all. `name_claim`: what an
    account is named by. `leeway_seconds`: how far two clocks may differ.
    """

    issuer: str
    client_id: str
    address: str
    grants: tuple[Grant, ...]
    secret: str | None = None
    label: str = "OpenID"
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    name_claim: str = "email"
    domains: frozenset[str] = frozenset()
    leeway_seconds: int = 60


@dataclass(frozen=True, slots=True)
class SignIn:
    """The ways in. `local`: by name and password of an account."""

    local: bool = True
    oidc: Oidc | None = None


def read_sign_in(path: Path | None, environment: Mapping[str, str] | None = None) -> SignIn:
    """The ways in that a file tells; without a file names and passwords alone.

    Raises BadInput, naming the place in the file, for what can't be used.
    """
    if path is None:
        return SignIn()
    given = os.environ if environment is None else environment
    belongs = f"put it into the environment ({SECRET}) or a file (client_secret_file)"
    table = Page(path, "SANHE_SIGN_IN", "docs/guide/access.md", {"client_secret": belongs}).read()
    local = table.flag("local", default=True)
    inner = table.inner("oidc")
    table.end()
    oidc = None if inner is None else _oidc(inner, given)
    if not local and (oidc is None or not any(Role.ADMIN in g.roles for g in oidc.grants)):
        raise BadInput(
            "local = false would leave no administrator a way in",
            place=str(path),
            remedy="give an [oidc] with a grant of the role admin, or leave local out",
        )
    return SignIn(local, oidc)


def is_safe_address(address: str) -> bool:
    """Whether what is sent to this address is hidden from the network: https, or loopback."""
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or parts.username is not None or parts.fragment:
        return False
    if parts.scheme == "https":
        return True
    return parts.scheme == "http" and (host == "localhost" or _is_loopback(host))


def _oidc(table: Table, environment: Mapping[str, str]) -> Oidc:
    issuer, address = table.text("issuer"), table.text("address").rstrip("/")
    for name, value in (("issuer", issuer), ("address", address)):
        if not is_safe_address(value) or urlsplit(value).query:
            raise table.wrong(name, f"{value!r} is no https address", "write https://…")
    if urlsplit(address).path:
        raise table.wrong("address", f"{address!r} has a path", "give scheme and host alone")
    kept_in = table.text("client_secret_file", default="")
    secret = environment.get(SECRET) or None
    if kept_in:
        try:
            secret = table.file("client_secret_file", kept_in).decode().strip()
        except UnicodeDecodeError as error:
            raise table.wrong("client_secret_file", str(error), "name a file with it") from error
    leeway = table.whole("leeway_seconds", default=60, most=300)
    made = Oidc(
        issuer=issuer,
        client_id=table.text("client_id"),
        address=address,
        grants=tuple(_grant(one) for one in table.several("grant")),
        secret=secret,
        label=table.text("label", default="OpenID"),
        scopes=table.texts("scopes", default=("openid", "email", "profile")),
        name_claim=table.text("name_claim", default="email"),
        domains=frozenset(one.casefold() for one in table.texts("domains", default=())),
        leeway_seconds=leeway,
    )
    table.end()
    if "openid" not in made.scopes:
        raise table.wrong("scopes", "openid is missing", "name it among the scopes")
    return made


def _grant(table: Table) -> Grant:
    try:
        roles = rules.checked_roles(table.texts("roles"))
    except BadInput as error:
        raise table.wrong("roles", error.what, error.remedy) from error
    places_claim = table.text("places_claim", default="") or None
    suppliers_claim = table.text("suppliers_claim", default="") or None
    suppliers = table.texts("suppliers", default=())
    everywhere = table.is_text("places", EVERY_PLACE)
    places = () if everywhere else table.texts("places", default=())
    made = Grant(
        claim=table.text("claim"),
        value=table.text("value"),
        roles=roles,
        places=None if everywhere else places,
        places_claim=places_claim,
        suppliers=suppliers,
        suppliers_claim=suppliers_claim,
    )
    table.end()
    if Role.SUPPLIER in roles:
        if not (suppliers or suppliers_claim):
            raise table.wrong("suppliers", "a supplier's are not named", "name them, or a claim")
        return made
    if not (everywhere or places or places_claim):
        remedy = 'write places = "all", places = ["CODE"] or places_claim = "NAME"'
        raise table.wrong("places", "it does not say which places are seen", remedy)
    return made


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
