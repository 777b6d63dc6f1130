"""The façade: keep, list and forget views."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sanhe.core.errors import Conflict, NotFound
from sanhe.core.storage import Transaction
from sanhe.loop.views import store

MOST: Final = 100
"""So many views of all pages an account may keep."""


@dataclass(frozen=True, slots=True)
class View:
    """A page's address parameters under a name."""

    page: str
    name: str
    search: str


class Views:
    """The saved views within one transaction."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def of(self, account: UUID, page: str) -> list[View]:
        """The account's views of a page, by name."""
        return [View(page, name, search) for name, search in store.read(self._tx, account, page)]

    def keep(self, account: UUID, page: str, *, name: str, search: str) -> None:
        """Keep a view, in the place of the one of this name.

        Raises Conflict when the account has `MOST` others.
        """
        store.write(self._tx, account, page, name=name, search=search)
        if store.count(self._tx, account) > MOST:
            raise Conflict(f"you have {MOST} views already: drop one first")

    def drop(self, account: UUID, page: str, *, name: str) -> None:
        """Forget a view. Raises NotFound."""
        if not store.delete(self._tx, account, page, name=name):
            raise NotFound(f"no view {name!r} of this page")
