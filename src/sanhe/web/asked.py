"""What pages ask with: scope, window, words; the same names everywhere."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Annotated, Literal

from fastapi import Header, Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from sanhe.loop.desk import KINDS, Filters
from sanhe.place.orders import MOST_LINES

Word = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]
"""A code or a few words: one line."""

Reason = Annotated[str, StringConstraints(max_length=2000, pattern=r"^[^\x00]*$")]
Number = Annotated[int, Field(ge=1, le=2**63 - 1)]
Quantity = Annotated[int, Field(ge=0, le=10**12)]


Code = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Key = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="Names the command: sent again with the same body it has the same answer.",
    ),
]
Units = Annotated[int, Field(ge=0, le=10**12)]
LineNumber = Annotated[int, Field(ge=0, lt=MOST_LINES)]


class Closed(BaseModel):
    """A body without fields that are not known."""

    model_config = ConfigDict(extra="forbid")


class ScopeAsked(BaseModel):
    """The part of the business a page looks at; left out = all of it."""

    region: Word | None = None
    place: Word | None = None
    category: Word | None = None
    supplier: Word | None = None

    def filters(self) -> Filters:
        """As the desk takes them; what is empty counts as left out."""
        return Filters(
            region=self.region or None,
            place=self.place or None,
            category=self.category or None,
            supplier=self.supplier or None,
        )


class Window(BaseModel):
    """Which rows of a list."""

    offset: int = Field(default=0, ge=0, le=10**9)
    limit: int = Field(default=200, ge=0, le=500)


class LinesAsked(ScopeAsked):
    """Which lines, and in which order (`-value_cents` falls).

    `status`: `ordered` or `not_ordered` by the plan.
    """

    label: Word | None = None
    search: Word | None = None
    status: Literal["ordered", "not_ordered"] | None = None
    sort: Word = "-value_cents"

    @property
    def order(self) -> tuple[str, bool]:
        """The column to sort by, and whether it falls: written with a minus before it."""
        return self.sort.removeprefix("-"), self.sort.startswith("-")

    def filters(self) -> Filters:
        """As the desk takes them."""
        return replace(
            super().filters(),
            label=self.label or None,
            text=self.search or None,
            ordered=None if self.status is None else self.status == "ordered",
        )


class LinesPageAsked(LinesAsked, Window):
    """One page of lines."""


class LinesFileAsked(LinesAsked):
    """All of these lines as a file."""


class ExceptionsAsked(ScopeAsked, Window):
    """One page of exceptions."""

    kind: Literal[KINDS] | None = None  # type: ignore[valid-type]
    search: Word | None = None

    def filters(self) -> Filters:
        """As the desk takes them."""
        return replace(super().filters(), kind=self.kind, text=self.search or None)


class CockpitAsked(ScopeAsked):
    """The first page's scope, and the day to compare with."""

    compare_to: date | None = None


WindowQuery = Annotated[Window, Query()]
