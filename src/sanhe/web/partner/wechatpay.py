"""Notices of WeChat Pay: payments and refunds, believed for their signature alone.

It is answered as documented: 204 for what is taken, also when it was taken before; else a status
of 4xx or 5xx with the code FAIL, and WeChat Pay sends it again.
"""

from __future__ import annotations

import logging
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from sanhe.connectors.wechatpay import NAME
from sanhe.core.errors import SanheError
from sanhe.web.caller import Served, served_of
from sanhe.web.problems import refusal
from sanhe.wiring import take_notice

_LOG = logging.getLogger("sanhe.web")


class Failed(BaseModel):
    """A notice that was not taken."""

    code: Literal["FAIL"] = "FAIL"
    message: str


_FAILED: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": Failed, "description": "Not taken: it is to be sent again"}
    for status in (401, 404, 409, 422, 500, 501)
}
_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {"application/json": {"schema": {"type": "object"}}},
    }
}

router = APIRouter(prefix="/partner/wechatpay", tags=["partner"])


async def body_of(request: Request) -> bytes:
    """The body, octet by octet as it was signed."""
    return await request.body()


@router.post(
    "/notice",
    status_code=204,
    response_class=Response,
    responses={204: {"description": "Taken"}, **_FAILED},
    openapi_extra=_BODY,
)
def take(
    request: Request,
    body: Annotated[bytes, Depends(body_of)],
    served: Annotated[Served, Depends(served_of)],
) -> Response:
    """Take a notice of a payment or refund; it is signed by WeChat Pay, within five minutes."""
    try:
        take_notice(served.sanhe, NAME, dict(request.headers.items()), body=body)
    except SanheError as error:
        status = refusal(error).status_code
        _LOG.warning("a notice of WeChat Pay was not taken (%s): %s", status, error)
        return JSONResponse(Failed(message=str(error)[:256]).model_dump(), status)
    return Response(status_code=204)
