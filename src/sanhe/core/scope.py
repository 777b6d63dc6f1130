"""What part of the retailer a piece of work may see: its places and its suppliers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Scope:
    """The codes of the places and suppliers that may be seen; None = all of them.

    Places are named one by one: whoever makes a scope of a region adds all that lies below it.
    Naming suppliers means to look from outside: rows that belong to no supplier are not seen.
    """

    places: frozenset[str] | None = None
    suppliers: frozenset[str] | None = None

    @property
    def is_everything(self) -> bool:
        """All places and all suppliers."""
        return self.places is None and self.suppliers is None


EVERYTHING: Final = Scope()
"""All places and all suppliers."""
