"""The application: guards, problem documents, the API of each audience, the console's pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path

from fastapi import APIRouter, FastAPI

from sanhe.core.access import SignIn, read_sign_in
from sanhe.web import console as console_api
from sanhe.web import partner, problems, storefront, till
from sanhe.web.caller import Served
from sanhe.web.guards import Guards
from sanhe.web.pages import add_pages
from sanhe.web.running import Running
from sanhe.wiring import Sanhe

_ABOUT = """\
Everything the command line can do. Sign in (`POST /api/session`) and send the cookie, with the
header `X-CSRF-Token` on every write; or send a key as `Authorization: Bearer KEY`. Tills
sign their requests (RFC 9421). Refusals are
problem documents (RFC 9457) that name the place and the remedy. Money is in minor units,
quantities are whole base units."""


def make_app(
    sanhe: Sanhe, *, console: Path | None = None, sign_in: SignIn | None = None
) -> FastAPI:
    """The application on an opened installation, which stays the caller's to close.

    `console`: the folder of the built console; None = the one shipped with the package.
    `sign_in`: the ways to sign in; None = those of the installation's settings. Raises BadInput
    for settings that can't be used, MissingPart without the extra `oidc` that they need.
    """
    ways = read_sign_in(sanhe.settings.sign_in) if sign_in is None else sign_in
    served = Served(sanhe, Running(sanhe.clock), ways)

    @asynccontextmanager
    async def living(app: FastAPI) -> AsyncIterator[None]:
        yield
        served.close()

    app = FastAPI(
        title="sanhe 三合",
        version=version("sanhe"),
        description=_ABOUT,
        lifespan=living,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        separate_input_output_schemas=False,
        redirect_slashes=False,  # the address to go to would be made of the Host header
    )
    app.state.served = served
    problems.install(app)
    api = APIRouter(prefix="/api", responses=problems.RESPONSES)
    # Routes are tried in this order, so what shoppers wait for comes first.
    for audience in (storefront, till, partner, console_api):
        for router in audience.routers():
            api.include_router(router)
    app.include_router(api)
    add_pages(app, console)
    app.add_middleware(Guards)
    return app
