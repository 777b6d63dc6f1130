"""The API of partners: what payment providers and other houses tell. No session: each operation
proves by itself who speaks, by a signature."""

from fastapi import APIRouter

from sanhe.web.partner import wechatpay


def routers() -> list[APIRouter]:
    """The operations of all partners."""
    return [wechatpay.router]
