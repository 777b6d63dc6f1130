"""Signing in and out, and the first account of an installation."""

from __future__ import annotations

from importlib.metadata import version
from ipaddress import ip_address
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from sanhe.core.access import Identity, SignedIn, actions_of
from sanhe.core.errors import Code, Conflict, Denied
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
    """Who is signed in and what they may do; `csrf` goes with every write.

    `passwords`: whether names and passwords are taken. `provider`: what the OpenID provider is
    called, where one is set up.
    """

    state: Literal["first_account", "signed_out", "signed_in"]
    name: str | None = None
    roles: list[str] = []
    actions: list[str] = []
    language: str | None = None
    csrf: str | None = None
    passwords: bool = True
    provider: str | None = None
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
        return _told(served, None, first=empty and served.sign_in.local)


@router.post("/session")
def sign_in(
    entered: Entered, request: Request, response: Response, *, served: ServedHere
) -> Session:
    """Begin a session: its cookie is kept by the browser and read by no script."""
    _need_passwords(served)
    return _begin(served, request, response, entered=entered)


@router.delete("/session")
def sign_out(request: Request, response: Response, served: ServedHere) -> Session:
    """End the session, if there is one."""
    end_session(request, served)
    response.delete_cookie(COOKIE, path="/")
    return _told(served, None)


@router.post("/first-account")
def make_first_account(
    entered: FirstAccount, request: Request, response: Response, *, served: ServedHere
) -> Session:
    """Make the first account, from the machine itself and only while there is none."""
    if not _is_local(request):
        raise Forbidden("the first account is made on the machine itself: sanhe account add")
    _need_passwords(served)
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


def address_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


def keep_session(
    request: Request, response: Response, signed: SignedIn, *, https: bool = False
) -> None:
    """Have the browser keep a session's token where no script reads it."""
    response.set_cookie(
        COOKIE,
        signed.token,
        path="/",
        httponly=True,
        samesite="strict",
        secure=https or request.url.scheme == "https",
    )


def end_session(request: Request, served: Served) -> None:
    """End the session whose token the browser sends, if it sends one."""
    token = request.cookies.get(COOKIE)
    if token:
        with served.sanhe.work(actor="web") as work:
            work.access.sign_out(token)


def _begin(served: Served, request: Request, response: Response, *, entered: Entered) -> Session:
    with served.sanhe.work(actor="web") as work:
        begun = work.access.sign_in(
            entered.name, entered.password, address=address_of(request), code=entered.code or None
        )
    end_session(request, served)
    keep_session(request, response, begun)
    return _told(served, begun.identity)


def _need_passwords(served: Served) -> None:
    if not served.sign_in.local:
        raise Forbidden(
            "names and passwords are not taken here: sign in at the OpenID provider",
            code=Code.PASSWORDS_OFF,
        )


def _told(served: Served, identity: Identity | None, *, first: bool = False) -> Session:
    settings, ways = served.sanhe.settings, served.sign_in
    provider = None if ways.oidc is None else ways.oidc.label
    if identity is None:
        return Session(
            state="first_account" if first else "signed_out",
            passwords=ways.local,
            provider=provider,
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
        passwords=ways.local,
        provider=provider,
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
