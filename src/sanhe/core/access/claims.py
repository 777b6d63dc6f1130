"""What an OpenID provider's claims about somebody are worth here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from sanhe.core.access.ports import Role
from sanhe.core.access.sign_in import Grant, Oidc
from sanhe.core.errors import Code, Denied

Refusal = Literal[
    "provider", "expired", "domain", "no_role", "places", "name", "inactive", "last_admin"
]
"""Why somebody whom a provider sent is not let in, as pages and the trail name it."""


class NotAdmitted(Denied):
    """A provider's word is not enough, or is none. `subject`: whom it named, once proved."""

    code = Code.NOT_ADMITTED

    def __init__(self, what: str, *, why: Refusal, subject: str = "") -> None:
        self.why: Refusal = why
        self.subject = subject
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Granted:
    """Somebody whom a provider vouches for. (issuer, subject) names them, whatever their name."""

    issuer: str
    subject: str
    name: str
    roles: frozenset[Role]
    places: tuple[str, ...] | None
    suppliers: tuple[str, ...] | None
    language: str = "zh-CN"

    def refused(self, what: str, *, why: Refusal) -> NotAdmitted:
        """The error that says why this is not enough."""
        return NotAdmitted(what, why=why, subject=self.subject)


def granted(claims: Mapping[str, Any], oidc: Oidc) -> Granted:
    """What these claims, which were proved before, grant. Raises NotAdmitted.

    Roles and places are those of all grants that fit; "all" places outweighs some.
    """
    subject = str(claims["sub"])
    if oidc.domains and _domain(claims) not in oidc.domains:
        what = "the e-mail address is not verified, or of no domain that is let in"
        raise NotAdmitted(what, why="domain", subject=subject)
    fitting = [grant for grant in oidc.grants if grant.value in _texts(claims, grant.claim)]
    if not fitting:
        what = "no grant gives this account a role"
        raise NotAdmitted(what, why="no_role", subject=subject)
    roles = frozenset[Role]().union(*(grant.roles for grant in fitting))
    named = _texts(claims, oidc.name_claim)
    if len(named) != 1:
        what = f"the claim {oidc.name_claim} names nobody"
        raise NotAdmitted(what, why="name", subject=subject)
    supplier = Role.SUPPLIER in roles
    return Granted(
        issuer=oidc.issuer,
        subject=subject,
        name=named[0],
        roles=roles,
        places=None if supplier else _places(claims, fitting),
        suppliers=_suppliers(claims, fitting) if supplier else None,
        language="en" if str(claims.get("locale", "")).startswith("en") else "zh-CN",
    )


def _places(claims: Mapping[str, Any], fitting: list[Grant]) -> tuple[str, ...] | None:
    found: set[str] = set()
    for grant in fitting:
        if grant.places is None:
            return None
        found.update(grant.places, _texts(claims, grant.places_claim))
    if not found:
        what, subject = "the provider names no place for this account", str(claims["sub"])
        raise NotAdmitted(what, why="places", subject=subject)
    return tuple(sorted(found))


def _suppliers(claims: Mapping[str, Any], fitting: list[Grant]) -> tuple[str, ...]:
    found: set[str] = set()
    for grant in fitting:
        found.update(grant.suppliers, _texts(claims, grant.suppliers_claim))
    if not found:
        what, subject = "the provider names no supplier for this account", str(claims["sub"])
        raise NotAdmitted(what, why="places", subject=subject)
    return tuple(sorted(found))


def _domain(claims: Mapping[str, Any]) -> str | None:
    """The domain of an address that the provider has verified; any other proves nothing."""
    address = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(address, str):
        return None
    _, at, domain = address.rpartition("@")
    return domain.casefold() if at else None


def _texts(claims: Mapping[str, Any], name: str | None) -> tuple[str, ...]:
    """The texts of a claim; `a.b` also finds `b` within `a`."""
    if name is None:
        return ()
    value: Any = claims.get(name)
    if value is None and "." in name:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return (value,) if value else ()
    if isinstance(value, (list, tuple)):
        return tuple(one for one in value if isinstance(one, str) and one)
    return ()
