"""What access speaks of: roles, accounts, keys, and who somebody is once they are known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sanhe.core.scope import Scope


class Role(StrEnum):
    """What somebody works as. `rules.ACTIONS` says what each may do."""

    PLANNER = "planner"
    BUYER = "buyer"
    PRICING = "pricing"
    GROWTH = "growth"
    STORE = "store"
    SERVICE = "service"
    SUPPLIER = "supplier"
    ADMIN = "admin"
    CHANNEL = "channel"
    """A program that sells: a till, the mini-program's server, a marketplace's door."""


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account. `places`: subtrees of `core.places`; None = all. `suppliers`: codes."""

    id: UUID
    name: str
    roles: frozenset[Role]
    places: tuple[str, ...] | None
    suppliers: tuple[str, ...] | None
    language: str
    active: bool
    has_second_factor: bool


@dataclass(frozen=True, slots=True)
class Key:
    """A program's or device's key, without its secret; it is no longer taken once revoked."""

    id: UUID
    label: str
    roles: frozenset[Role]
    places: tuple[str, ...] | None
    suppliers: tuple[str, ...] | None
    device: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Identity:
    """Who acts: the holder of a session or a key, with the roles and scope of this moment.

    `actor` is the name that the audit trail keeps. `scope` names places with all below them.
    `account` and `csrf` are those of a session; a key has neither (None, "").
    """

    actor: str
    roles: frozenset[Role]
    scope: Scope
    account: UUID | None
    language: str
    csrf: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that was begun. `token` is told this once; `expires_at` when it is not used."""

    token: str
    identity: Identity
    expires_at: datetime
