"""The API of those who work at the retailer, a module for each page."""

from fastapi import APIRouter

from sanhe.web.console import (
    admin,
    cockpit,
    data,
    decisions,
    devices,
    forecast,
    frame,
    health,
    items,
    lines,
    membership,
    orders,
    policy,
    promises,
    promotions,
    provider,
    returns,
    sales,
    session,
    simulations,
    store,
    storegoods,
)

_PAGES = (
    session,
    provider,
    frame,
    cockpit,
    lines,
    decisions,
    orders,
    forecast,
    health,
    items,
    simulations,
    data,
    policy,
    promotions,
    devices,
    store,
    storegoods,
    returns,
    sales,
    membership,
    promises,
    admin,
)


def routers() -> list[APIRouter]:
    """The operations of all pages."""
    return [page.router for page in _PAGES]
