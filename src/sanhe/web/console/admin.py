"""Administration: accounts, keys, places, the audit trail."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from sanhe.core.access import Role, may
from sanhe.web.asked import WindowQuery, Word
from sanhe.web.caller import Caller, depends, depends_everywhere, signed_in

router = APIRouter(tags=["admin"])
Manages = Annotated[Caller, depends_everywhere("accounts.manage")]
Codes = Annotated[list[Word], Field(max_length=2000)]
Roles = Annotated[list[Role], Field(min_length=1, max_length=8)]


class Account(BaseModel):
    """A person's account."""

    id: UUID
    name: str
    roles: list[Role]
    places: list[str] | None
    suppliers: list[str] | None
    language: str
    active: bool
    has_second_factor: bool


class Accounts(BaseModel):
    """All accounts."""

    rows: list[Account]


class AccountEntered(BaseModel):
    """A new account; places and suppliers left out = all."""

    name: Word
    password: str = Field(max_length=1000)
    roles: Roles
    places: Codes | None = None
    suppliers: Codes | None = None
    language: Literal["zh-CN", "en"] = "zh-CN"


class AccountChanged(BaseModel):
    """What an account shall be from now on; its scope is given whole, null = all."""

    roles: Roles
    places: Codes | None = None
    suppliers: Codes | None = None
    language: Literal["zh-CN", "en"] = "zh-CN"
    active: bool = True
    password: str | None = Field(default=None, max_length=1000)


class Key(BaseModel):
    """A program's or device's key."""

    id: UUID
    label: str
    roles: list[Role]
    places: list[str] | None
    suppliers: list[str] | None
    device: bool
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class Keys(BaseModel):
    """All keys."""

    rows: list[Key]


class KeyEntered(BaseModel):
    """A new key."""

    label: Word
    roles: Roles
    places: Codes | None = None
    suppliers: Codes | None = None
    expires_at: datetime | None = None
    device: bool = False


class KeyMade(BaseModel):
    """A key's secret, told this once."""

    secret: str


class PlaceRow(BaseModel):
    """A place of the masters. `cut_off`: when its business day begins, local time."""

    id: str
    name: str | None
    kind: str
    parent: str | None
    region: str | None
    city: str | None
    time_zone: str | None
    cut_off: str


class Places(BaseModel):
    """All places that the caller may see."""

    rows: list[PlaceRow]


class AuditRow(BaseModel):
    """Who did what to which subject."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    details: dict[str, Any]


class AuditPage(BaseModel):
    """Some entries, the newest first."""

    rows: list[AuditRow]
    total: int
    offset: int


@router.get("/accounts")
def read_accounts(caller: Manages) -> Accounts:
    """All accounts."""
    with caller.work() as work:
        found = work.access.accounts()
    return Accounts(rows=[_account(one) for one in found])


@router.post("/accounts", status_code=201)
def add_account(entered: AccountEntered, caller: Manages) -> Account:
    """Make an account."""
    with caller.work() as work:
        made = work.access.add(
            entered.name,
            entered.password,
            roles=entered.roles,
            places=entered.places,
            suppliers=entered.suppliers,
            language=entered.language,
        )
    return _account(made)


@router.patch("/accounts/{name}")
def change_account(
    name: Annotated[Word, Path()], changed: AccountChanged, caller: Manages
) -> Account:
    """Change an account; a new password or taking it out of use ends its sessions."""
    with caller.work() as work:
        made = work.access.change(
            name,
            roles=changed.roles,
            places=changed.places,
            suppliers=changed.suppliers,
            language=changed.language,
            active=changed.active,
        )
        if changed.password:
            work.access.set_password(name, changed.password)
    return _account(made)


@router.get("/keys")
def read_keys(caller: Manages) -> Keys:
    """All keys, without their secrets."""
    with caller.work() as work:
        found = work.access.keys()
    return Keys(rows=[Key.model_validate(one, from_attributes=True) for one in found])


@router.post("/keys", status_code=201)
def add_key(entered: KeyEntered, caller: Manages) -> KeyMade:
    """Make a key; its secret is told this once."""
    with caller.work() as work:
        secret = work.access.add_key(
            entered.label,
            roles=entered.roles,
            places=entered.places,
            suppliers=entered.suppliers,
            expires_at=entered.expires_at,
            device=entered.device,
        )
    return KeyMade(secret=secret)


@router.delete("/keys/{id}", status_code=204)
def revoke_key(key: Annotated[UUID, Path(alias="id")], caller: Manages) -> Response:
    """Take a key no longer."""
    with caller.work() as work:
        work.access.revoke_key(key)
    return Response(status_code=204)


@router.get("/places")
def read_places(caller: Annotated[Caller, depends("catalog.read")]) -> Places:
    """The places of the masters."""
    with caller.work() as work:
        rows = work.places.all().to_pylist()
    return Places(rows=[PlaceRow.model_validate(row) for row in rows])


@router.get("/audit")
def read_audit(window: WindowQuery, caller: Annotated[Caller, Depends(signed_in)]) -> AuditPage:
    """The audit trail: the whole for an administrator, one's own for everybody else."""
    actor = None if may(caller.identity, "audit.read") else caller.identity.actor
    with caller.work() as work:
        found, total = work.audit.page(actor=actor, offset=window.offset, limit=window.limit)
    return AuditPage(
        rows=[AuditRow.model_validate(one, from_attributes=True) for one in found],
        total=total,
        offset=window.offset,
    )


def _account(one: object) -> Account:
    return Account.model_validate(one, from_attributes=True)
