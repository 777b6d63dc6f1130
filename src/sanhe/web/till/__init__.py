"""The API of tills: a device is known by its signature over each request, and syncs."""

from fastapi import APIRouter

from sanhe.web.till import sync


def routers() -> list[APIRouter]:
    """The operations of tills."""
    return [sync.router]
