"""Signing in and out, and the first account of an installation."""

from __future__ import annotations

from importlib.metadata import version
from ipaddress import ip_address
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from sanhe.core.access import Identity, actions_of
from sanhe.core.errors import Conflict, Denied
from sanhe.web.asked import Word
from sanhe.web.caller import COOKIE, Served, identity_of, served_of
from sanhe.web.problems import Forbidden

router = APIRouter(tags=["session"])

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]", "::1", "testserver"})


class Entered(BaseModel):
    """Name, password and, where the account has a second factor, its code."""

    name: Word
    password: str = Field(max_length=1000)
    code: Word | None = None


class FirstAccount(BaseModel):
    """The first account; it is an administrator's and a planner's."""

    name: Word
    password: str = Field(max_length=1000)
    language: Literal["zh-CN", "en"] = "zh-CN"


class Session(BaseModel):
    """Who is signed in and what they may do; `csrf` goes with every write."""

    state: Literal["first_account", "signed_out", "signed_in"]
    name: str | None = None
    roles: list[str] = []
    actions: list[str] = []
    language: str | None = None
    csrf: str | None = None
    currency: str
    time_zone: str
    version: str


ServedHere = Annotated[Served, Depends(served_of)]


@router.get("/session")
def read_session(request: Request, served: ServedHere) -> Session:
    """Who is signed in; asks nothing of whoever asks."""
    try:
        return _told(served, identity_of(request))
    except Denied:
        with served.sanhe.work(actor="web") as work:
            empty = work.access.is_empty()
        return _told(served, None, first=empty)


@router.post("/session")
def sign_in(
    entered: Entered, request: Request, response: Response, *, served: ServedHere
) -> Session:
    """Begin a session: its cookie is kept by the browser and read by no script."""
    return _begin(served, request, response, entered=entered)


@router.delete("/session")
def sign_out(request: Request, response: Response, served: ServedHere) -> Session:
    """End the session, if there is one."""
    token = request.cookies.get(COOKIE)
    if token:
        with served.sanhe.work(actor="web") as work:
            work.access.sign_out(token)
    response.delete_cookie(COOKIE, path="/")
    return _told(served, None)


@router.post("/first-account")
def make_first_account(
    entered: FirstAccount, request: Request, response: Response, *, served: ServedHere
) -> Session:
    """Make the first account, from the machine itself and only while there is none."""
    if not _is_local(request):
        raise Forbidden("the first account is made on the machine itself: sanhe account add")
    with served.sanhe.work(actor=entered.name[:64] or "web") as work:
        if not work.access.is_empty():
            raise Conflict("there are accounts already: sign in")
        work.access.add(
            entered.name,
            entered.password,
            roles=["admin", "planner", "buyer"],
            language=entered.language,
        )
    given = Entered(name=entered.name, password=entered.password)
    return _begin(served, request, response, entered=given)


def _begin(served: Served, request: Request, response: Response, *, entered: Entered) -> Session:
    address = request.client.host if request.client else "unknown"
    with served.sanhe.work(actor="web") as work:
        begun = work.access.sign_in(
            entered.name, entered.password, address=address, code=entered.code or None
        )
    response.set_cookie(
        COOKIE,
        begun.token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return _told(served, begun.identity)


def _told(served: Served, identity: Identity | None, *, first: bool = False) -> Session:
    settings = served.sanhe.settings
    if identity is None:
        return Session(
            state="first_account" if first else "signed_out",
            currency=settings.currency,
            time_zone=settings.time_zone,
            version=version("sanhe"),
        )
    return Session(
        state="signed_in",
        name=identity.actor,
        roles=sorted(identity.roles),
        actions=list(actions_of(identity.roles)),
        language=identity.language,
        csrf=identity.csrf,
        currency=settings.currency,
        time_zone=settings.time_zone,
        version=version("sanhe"),
    )


def _is_local(request: Request) -> bool:
    """Whether the request comes from this machine and names it so: no page of another name that
    leads here may make the account."""
    host = request.url.hostname or ""
    if host not in _LOCAL_HOSTS or request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:
        return request.client.host == "testclient"
