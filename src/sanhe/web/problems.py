"""Problem documents (RFC 9457): every refusal names its place and remedy, none shows an inside."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from sanhe.core.errors import (
    BadInput,
    Code,
    Conflict,
    Denied,
    MissingPart,
    NotFound,
    SanheError,
    Shortage,
    Temporary,
    TooMany,
)
from sanhe.core.storage import database_errors

MEDIA: Final = "application/problem+json"
_LOG = logging.getLogger("sanhe.web")


class Problem(BaseModel):
    """What went wrong: `place` names the field or file, `remedy` what to do next.

    `type`: "urn:sanhe:problem:" and one of `core.errors.Code`: stable, whatever the words become.
    """

    type: str
    title: str
    status: int
    detail: str
    place: str = ""
    remedy: str = ""


class Forbidden(Denied):
    """Who asks is known, and may not do this."""

    code = Code.FORBIDDEN


STATUS: Final[tuple[tuple[type[SanheError], int], ...]] = (
    (BadInput, 422),
    (NotFound, 404),
    (Conflict, 409),
    (Shortage, 409),
    (Forbidden, 403),
    (Denied, 401),
    (TooMany, 429),
    (Temporary, 503),
    (MissingPart, 501),
)
"""The status of each refusal; any other is a fault of the installation (500)."""

RESPONSES: Final[dict[int | str, dict[str, Any]]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status in (400, 401, 403, 404, 409, 413, 422, 429, 501, 503)
}
"""What every operation may answer besides."""


TYPE: Final = "urn:sanhe:problem:"
_OF_STATUS: Final[dict[int, Code]] = {404: Code.NO_OPERATION, 413: Code.TOO_LARGE}


def problem(
    status: int,
    detail: str,
    *,
    code: Code,
    place: str = "",
    remedy: str = "",
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem document as a response."""
    told = Problem(
        type=TYPE + code,
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        place=place,
        remedy=remedy,
    )
    given = None if headers is None else dict(headers)
    return JSONResponse(told.model_dump(), status, headers=given, media_type=MEDIA)


def refusal(error: SanheError) -> JSONResponse:
    """The problem document of a refusal."""
    status = next((code for kind, code in STATUS if isinstance(error, kind)), 500)
    code = error.code
    if isinstance(error, BadInput):
        return problem(status, error.what, code=code, place=error.place, remedy=error.remedy)
    if isinstance(error, TooMany):
        wait = {"Retry-After": str(error.retry_after_seconds)}
        return problem(status, str(error), code=code, headers=wait)
    if isinstance(error, Temporary):
        wait = {"Retry-After": f"{error.delay_seconds:.0f}"}
        return problem(status, str(error), code=code, headers=wait)
    place = "code" if isinstance(error, Denied) and error.needs_code else ""
    return problem(status, str(error), code=code, place=place)


def install(app: FastAPI) -> None:
    """Answer every refusal and fault with a problem document."""

    @app.exception_handler(SanheError)
    async def refused(request: Request, error: SanheError) -> JSONResponse:
        # Signing in anew does not help whoever is known already.
        if isinstance(error, Denied) and getattr(request.state, "known", False):
            code = Code.FORBIDDEN if error.code is Code.DENIED else error.code
            return problem(403, str(error), code=code)
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        place = "/".join(str(part) for part in first["loc"])
        return problem(
            422,
            str(first["msg"]),
            code=Code.INVALID,
            place=place,
            remedy="see the API's description",
        )

    @app.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        code = _OF_STATUS.get(error.status_code, Code.REFUSED)
        return problem(error.status_code, str(error.detail), code=code, headers=error.headers)

    async def away(request: Request, error: Exception) -> JSONResponse:
        _LOG.error("the database can't be used: %s", type(error).__name__)
        return problem(
            503,
            "the database can't be used now",
            code=Code.DATABASE_AWAY,
            remedy="try again; sanhe doctor tells what is wrong",
            headers={"Retry-After": "5"},
        )

    for kind in database_errors():
        app.add_exception_handler(kind, away)
    described = app.openapi

    def openapi() -> dict[str, Any]:
        """The document, with the shape of problems in it once."""
        document = described()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas["Problem"] = Problem.model_json_schema()
        return document

    app.openapi = openapi  # type: ignore[method-assign]

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> JSONResponse:
        _LOG.exception("a fault in %s %s", request.method, request.url.path, exc_info=error)
        what = "sanhe failed here; the log of the server says how"
        return problem(500, what, code=Code.FAULT)
