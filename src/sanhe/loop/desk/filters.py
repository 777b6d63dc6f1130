"""What part of the business a page looks at."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Filters:
    """Which lines are meant; None = all.

    `category`: itself and all below it (a path "Dairy/Milk" lies below "Dairy"). `label`: the
    classes that begin so, e.g. "AX". `text`: part of an SKU's code or name, or of a place's code.
    `ordered`: whether the plan orders the line. `excepted`: whether it needs a person; `kind`: the
    kind of exception. `slow`: whether its stock is dead or lasts a quarter or more.
    """

    region: str | None = None
    place: str | None = None
    category: str | None = None
    supplier: str | None = None
    label: str | None = None
    text: str | None = None
    ordered: bool | None = None
    excepted: bool | None = None
    kind: str | None = None
    slow: bool | None = None
