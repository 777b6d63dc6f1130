"""What is assumed where the data does not say, read from a TOML file."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from sanhe.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Stand-ins for missing data (假设). Lines that use one say which.

    `on_hand_days`: days of expected demand on hand where stock was never counted.
    `unit_cost_cents`: cost of one whole unit where neither cost nor price is known.
    `margin_rate`: margin as a share of the price without tax. `tax_rate`: tax inside a price
    that includes an unknown one. The rest are supply terms where none were agreed;
    `lead_time_sd_days` also holds for agreed lead times not yet measured.
    """

    on_hand_days: float
    unit_cost_cents: float
    margin_rate: float
    tax_rate: float
    supplier: str
    lead_time_days: int
    lead_time_sd_days: float
    moq: int
    case_size: int

    def __post_init__(self) -> None:
        if not 0 <= self.margin_rate < 1:
            raise BadInput(
                f"margin_rate {self.margin_rate} is no share of the price",
                place="assumptions",
                remedy="give a number from 0 to below 1",
            )
        lowest = {"moq": 1, "case_size": 1}
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, str) and value < lowest.get(field.name, 0):
                raise BadInput(
                    f"{field.name} {value} is too low",
                    place="assumptions",
                    remedy=f"give at least {lowest.get(field.name, 0)}",
                )

    @classmethod
    def load(cls, path: Path | None = None) -> Assumptions:
        """The shipped assumptions, with those of the file in their place.

        Raises BadInput when the file is missing, is no TOML, or names an unknown key.
        """
        if path is None:
            return _shipped()
        return cls._of(_shipped_values() | read_toml(path), str(path))

    @classmethod
    def _of(cls, values: Mapping[str, Any], place: str) -> Assumptions:
        kinds = {field.name: field.type for field in fields(cls)}
        for name, value in values.items():
            if name not in kinds:
                raise BadInput(
                    f"unknown assumption {name!r}",
                    place=place,
                    remedy=f"known are {', '.join(kinds)}",
                )
            wanted = {"str": (str,), "int": (int,)}.get(str(kinds[name]), (int, float))
            if isinstance(value, bool) or not isinstance(value, wanted):
                raise BadInput(f"{name} = {value!r} is no {kinds[name]}", place=place)
        return cls(**values)


def _shipped_values() -> dict[str, Any]:
    shipped = resources.files(__package__).joinpath("assumptions.toml").read_text("utf-8")
    return tomllib.loads(shipped)


@cache
def _shipped() -> Assumptions:
    """Read once: every transaction has them at hand."""
    return Assumptions._of(_shipped_values(), "assumptions.toml")


def read_toml(path: Path) -> dict[str, object]:
    """The content of a TOML file; raises BadInput naming the file and the fault."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise BadInput("no such file", place=str(path), remedy="check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"not a TOML file: {error}", place=str(path)) from error
