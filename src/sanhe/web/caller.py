"""Who asks: known by a session's cookie or a key, and seeing only their own part of the data."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Any, Final
from uuid import UUID

from fastapi import Depends, Request

from sanhe.connectors.oidc import OpenIdProvider
from sanhe.core.access import Identity, SignIn, may
from sanhe.core.errors import Code, Denied
from sanhe.core.lake import Lake, ResidentLake
from sanhe.core.scope import Scope
from sanhe.goods.demand import Demand
from sanhe.loop.desk import FOLDER, Desk
from sanhe.web.problems import Forbidden
from sanhe.web.running import Running
from sanhe.wiring import By, Sanhe, Work

COOKIE: Final = "sanhe_session"
CSRF_HEADER: Final = "X-CSRF-Token"
MOST_SCOPES: Final = 64
"""So many scopes' lists are held in memory at once."""
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Served:
    """What the application serves: the installation, its jobs, the ways to sign in, and for each
    scope the lake with its lists held in memory."""

    def __init__(self, sanhe: Sanhe, running: Running, sign_in: SignIn) -> None:
        self.sanhe, self.running, self.sign_in = sanhe, running, sign_in
        oidc = sign_in.oidc
        self.provider = None if oidc is None else OpenIdProvider(oidc, sanhe.clock)
        self._lakes: OrderedDict[Scope, Lake] = OrderedDict()
        self._lock = Lock()

    def close(self) -> None:
        """Let the job that runs end, and the connections to the provider."""
        self.running.close()
        if self.provider is not None:
            self.provider.close()

    def lake(self, scope: Scope) -> Lake:
        """The lake with the rows of a scope, read only; those used last are kept in memory."""
        with self._lock:
            if scope not in self._lakes:
                seen = self.sanhe.scoped_lake(scope)
                self._lakes[scope] = ResidentLake(seen, folders=[FOLDER])
            self._lakes.move_to_end(scope)
            while len(self._lakes) > MOST_SCOPES:
                self._lakes.popitem(last=False)
            return self._lakes[scope]


@dataclass(frozen=True)
class Caller:
    """One request's identity with what it may see."""

    served: Served
    identity: Identity

    @property
    def sanhe(self) -> Sanhe:
        """The installation."""
        return self.served.sanhe

    @property
    def by(self) -> By:
        """Who acts, and for which places."""
        return By(self.identity.actor, self.identity.scope)

    @property
    def account(self) -> UUID:
        """The account of whoever is signed in. Raises Forbidden for a key, which has none."""
        if self.identity.account is None:
            raise Forbidden("a key has nothing of its own here: sign in")
        return self.identity.account

    @contextmanager
    def work(self) -> Iterator[Work]:
        """One transaction by this caller; the database shows it no other rows."""
        with self.sanhe.work(actor=self.identity.actor, scope=self.identity.scope) as work:
            yield work

    @property
    def desk(self) -> Desk:
        """The pages of the last plan, as far as the caller may see them."""
        return Desk(self.lake)

    @property
    def demand(self) -> Demand:
        """Forecasts over the lake as far as the caller may see it."""
        return Demand(self.lake, settings=self.sanhe.effort)

    @property
    def lake(self) -> Lake:
        """The lake as far as the caller may see it."""
        return self.served.lake(self.identity.scope)


def served_of(request: Request) -> Served:
    """What this application serves."""
    found: Served = request.app.state.served
    return found


def identity_of(request: Request) -> Identity:
    """Who asks. Raises Denied without a session or key, Forbidden for a write without its token."""
    identity = _holder(request, used=True)
    if identity.account is None:
        return identity
    given = request.headers.get(CSRF_HEADER, "")
    if request.method not in _SAFE and not hmac.compare_digest(
        given.encode(), identity.csrf.encode()
    ):
        raise Forbidden(
            f"the header {CSRF_HEADER} is missing or of another session: reload",
            code=Code.STALE_PAGE,
        )
    return identity


def identify_again(request: Request) -> Caller:
    """Who asked, as they are now, while their answer still goes on. Raises Denied."""
    return Caller(served_of(request), _holder(request, used=False))


def _holder(request: Request, *, used: bool) -> Identity:
    """Whose key or session the request carries."""
    sanhe = served_of(request).sanhe
    authorization = request.headers.get("authorization", "")
    with sanhe.work(actor="web") as work:
        if authorization:
            kind, _, secret = authorization.partition(" ")
            if kind.lower() != "bearer" or not secret:
                raise Denied("this authorization can't be read: give Bearer and a key")
            return work.access.identify_key(secret.strip())
        token = request.cookies.get(COOKIE)
        if not token:
            raise Denied("nobody is signed in: sign in, or give a key", code=Code.SIGNED_OUT)
        return work.access.identify(token, used=used)


# Of these dependencies only `identity_of` waits for the database: the others are async, so that
# no request pays for another thread.
async def signed_in(
    request: Request, identity: Annotated[Identity, Depends(identity_of)]
) -> Caller:
    """Anybody who is known."""
    request.state.known = True
    return Caller(served_of(request), identity)


def allowed(action: str) -> Callable[..., Awaitable[Caller]]:
    """A dependency: somebody who may do this action of `core.access`; else Forbidden."""

    async def caller(found: Annotated[Caller, Depends(signed_in)]) -> Caller:
        if not may(found.identity, action):
            raise Forbidden(f"your role may not do this ({action}): ask an administrator")
        return found

    return caller


def depends(action: str) -> Any:
    """`Depends(allowed(action))`."""
    return Depends(allowed(action))


def depends_everywhere(action: str) -> Any:
    """Likewise, for what bears on the whole retailer: only for who sees all of it."""
    may_do = depends(action)

    async def caller(found: Caller = may_do) -> Caller:
        if not found.identity.scope.is_everything:
            raise Forbidden(
                "this bears on all places, and your account sees a part of them",
                code=Code.FORBIDDEN_PART,
            )
        return found

    return Depends(caller)
