"""The API of the channels that sell: tills, mini-program, app, livestream, marketplaces."""

from fastapi import APIRouter

from sanhe.web.storefront import coupons, orders, promises, returns, shipments


def routers() -> list[APIRouter]:
    """The operations of the channels."""
    return [promises.router, orders.router, shipments.router, returns.router, coupons.router]
