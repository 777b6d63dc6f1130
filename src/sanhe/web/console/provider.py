"""Signing in at an OpenID provider: the way there, and what comes back."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict
from typing import Annotated, Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse

from sanhe.connectors.oidc import Begun, OpenIdProvider
from sanhe.core.access import NotAdmitted, Oidc, granted
from sanhe.core.errors import BadInput, NotFound, Temporary, TooMany
from sanhe.web.asked import Word
from sanhe.web.caller import Served, served_of
from sanhe.web.console.session import address_of, end_session, keep_session

router = APIRouter(tags=["session"])
ServedHere = Annotated[Served, Depends(served_of)]

_KEPT_SECONDS: Final = 600
_ELSEWHERE: Final[dict[int | str, dict[str, Any]]] = {303: {"description": "Go on there"}}


@router.get("/session/oidc", status_code=303, response_class=RedirectResponse, responses=_ELSEWHERE)
def begin(served: ServedHere, back: Word = "/") -> RedirectResponse:
    """Go to the OpenID provider; `back` is the page of sanhe to come back to."""
    provider, oidc = _provider(served)
    if not is_local(back):
        raise BadInput(
            "this is no page of sanhe", place="back", remedy="give a path such as /workbench"
        )
    try:
        there, begun = provider.begin()
    except Temporary:
        return _refused("away")
    answer = RedirectResponse(there, 303)
    kept = json.dumps({**asdict(begun), "back": back}).encode()
    answer.set_cookie(
        _cookie(oidc),
        base64.urlsafe_b64encode(kept).decode(),
        max_age=_KEPT_SECONDS,
        path="/",
        httponly=True,
        samesite="lax",  # it has to come along when the provider sends the browser back
        secure=_is_https(oidc),
    )
    return answer


@router.get(
    "/session/oidc/callback",
    status_code=303,
    response_class=RedirectResponse,
    responses=_ELSEWHERE,
)
def come_back(
    request: Request,
    served: ServedHere,
    *,
    state: Annotated[str, Query(max_length=500)] = "",
    code: Annotated[str | None, Query(max_length=5000)] = None,
    error: Annotated[str | None, Query(max_length=500)] = None,
    iss: Annotated[str | None, Query(max_length=500)] = None,
) -> RedirectResponse:
    """Begin the session of whom the provider sent back; else the first page says why not."""
    _, oidc = _provider(served)
    told = {"state": state, "code": code, "error": error, "iss": iss}
    answer = {name: value for name, value in told.items() if value is not None}
    address = address_of(request)
    try:
        response = _admitted(request, served, answer)
    except NotAdmitted as refused:
        with served.sanhe.work(actor="web") as work:
            work.access.tell_refusal(refused, address=address)
        response = _refused(refused.why)
    except TooMany:
        response = _refused("too_many")
    except Temporary:
        response = _refused("away")
    response.delete_cookie(_cookie(oidc), path="/", secure=_is_https(oidc), httponly=True)
    return response


def is_local(back: str) -> bool:
    """Whether this leads to a page of sanhe and nowhere else, however a browser reads it."""
    plain = back.isascii() and back.isprintable() and "\\" not in back
    return plain and back.startswith("/") and not back.startswith(("//", "/api"))


def _admitted(request: Request, served: Served, answer: dict[str, str]) -> RedirectResponse:
    provider, oidc = _provider(served)
    begun, back = _kept(request.cookies.get(_cookie(oidc), ""))
    address = address_of(request)
    with served.sanhe.work(actor="web") as work:
        work.access.take_attempt(address)
    claims = provider.finish(answer, begun)
    with served.sanhe.work(actor="web") as work:
        signed = work.access.admit(granted(claims, oidc), address=address)
    end_session(request, served)
    response = RedirectResponse(back if is_local(back) else "/", 303)
    keep_session(request, response, signed, https=_is_https(oidc))
    return response


def _kept(cookie: str) -> tuple[Begun, str]:
    """What the browser kept while it was away. Raises NotAdmitted when it is gone or odd."""
    try:
        told = json.loads(base64.urlsafe_b64decode(cookie))
        begun = Begun(str(told["state"]), str(told["nonce"]), str(told["verifier"]))
        return begun, str(told["back"])
    except (ValueError, KeyError, TypeError) as error:
        what = "this browser began no sign-in, or too long ago"
        raise NotAdmitted(what, why="expired") from error


def _provider(served: Served) -> tuple[OpenIdProvider, Oidc]:
    if served.provider is None or served.sign_in.oidc is None:
        raise NotFound("no OpenID provider is set up here: see docs/guide/access.md")
    return served.provider, served.sign_in.oidc


def _refused(why: str) -> RedirectResponse:
    return RedirectResponse(f"/?{urlencode({'refused': why})}", 303)


def _is_https(oidc: Oidc) -> bool:
    return oidc.address.startswith("https:")


def _cookie(oidc: Oidc) -> str:
    """Over https a name that no neighbouring host can set (RFC 6265bis, section 4.1.3.2)."""
    return "__Host-sanhe_oidc" if _is_https(oidc) else "sanhe_oidc"
