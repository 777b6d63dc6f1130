"""The order policy: service bounds, review days, shelf minimum, budget, auto-approval."""

from __future__ import annotations

import hashlib
import json
import math
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TypeVar

from sanhe.core.decisions import AutoApproval
from sanhe.core.errors import BadInput
from sanhe.goods.replenish.assumptions import read_toml
from sanhe.goods.replenish.classes import check_class, class_rule
from sanhe.goods.replenish.moving import KEYS as MOVING_KEYS
from sanhe.goods.replenish.moving import Moving, read_moving

KIND = "replenish"
TRANSFER = "transfer"
ORDERING = frozenset({KIND, TRANSFER})
"""The kinds of decisions that end in an order."""
_Number = TypeVar("_Number", int, float)
_KEYS: Mapping[str, frozenset[str]] = {
    "service": frozenset(
        {"lowest", "highest", "goodwill_rate", "holding_rate_per_year", "by_class"}
    ),
    "review": frozenset({"days", "by_class"}),
    "presentation": frozenset({"units", "by_class"}),
    "lead_time": frozenset({"measured_from_deliveries"}),
    "proposal": frozenset({"valid_days"}),
    "budget": frozenset({"cents"}),
    "receiving": frozenset({"pallets", "by_place"}),
    "transfers": MOVING_KEYS,
}


@dataclass(frozen=True, slots=True)
class Policy:
    """How orders are made (补货策略); see policy.toml for the meaning of each number.

    What is given `by_class` holds for the lines whose label begins with it; of several the
    longest counts: of "C" and "CZ" the second for a line "CZL3".
    """

    lowest_service: float = 0.80
    highest_service: float = 0.98
    lowest_service_by_class: Mapping[str, float] = field(default_factory=dict)
    highest_service_by_class: Mapping[str, float] = field(default_factory=dict)
    goodwill_rate: float = 0.0
    holding_rate_per_year: float = 0.25
    review_days: int = 1
    review_days_by_class: Mapping[str, int] = field(default_factory=dict)
    presentation_units: int = 0
    presentation_by_class: Mapping[str, int] = field(default_factory=dict)
    measured_from_deliveries: int = 5
    valid_days: int = 3
    budget_cents: int | None = None
    pallets: float = math.inf
    pallets_by_place: Mapping[str, float] = field(default_factory=dict)
    auto_approval: tuple[AutoApproval, ...] = ()
    moving: Moving = field(default_factory=Moving)

    def __post_init__(self) -> None:
        for label in ("", *self.lowest_service_by_class, *self.highest_service_by_class):
            lowest, highest = self.service_of(label)
            if not 0 <= lowest <= highest < 1:
                raise BadInput(
                    f"service bounds {lowest} and {highest}",
                    place=f"policy, [service] {label}".rstrip(),
                    remedy="give shares from 0 to below 1, the lowest first",
                )
        for setting, listed in self._by_class().items():
            for label in listed:
                check_class(label, place=f"policy, {setting} by class")
        for days in (self.review_days, *self.review_days_by_class.values()):
            if days < 1:
                raise BadInput(
                    f"review days {days}", place="policy, [review]", remedy="give at least 1"
                )
        if self.budget_cents is not None and self.budget_cents < 0:
            raise BadInput(
                f"budget {self.budget_cents}",
                place="policy, [budget]",
                remedy="give 0 or more cents",
            )
        if not all(pallets >= 0 for pallets in (self.pallets, *self.pallets_by_place.values())):
            raise BadInput(
                "pallets below zero", place="policy, [receiving]", remedy="give 0 or more"
            )

    @classmethod
    def load(cls, path: Path | None = None) -> Policy:
        """The shipped policy, with the tables of the file in their place.

        Raises BadInput when the file is missing, is no TOML, or names an unknown key.
        """
        if path is None:
            return _shipped_policy()
        return _policy(_merged(_shipped_tables(), read_toml(path), str(path)), str(path))

    def with_budget(self, budget_cents: int | None) -> Policy:
        """The same policy with another budget; None leaves the policy's own."""
        return self if budget_cents is None else replace(self, budget_cents=budget_cents)

    def with_class(
        self,
        label: str,
        *,
        review_days: int | None = None,
        lowest: float | None = None,
        highest: float | None = None,
        presentation_units: int | None = None,
    ) -> Policy:
        """The same policy with other numbers for one class; None leaves a number as it is.

        Longer labels that the policy lists keep their own. Raises BadInput for what is no
        class, or for numbers the policy would refuse.
        """
        check_class(label, place="the class to change")
        return replace(
            self,
            review_days_by_class=_with(self.review_days_by_class, label, review_days),
            lowest_service_by_class=_with(self.lowest_service_by_class, label, lowest),
            highest_service_by_class=_with(self.highest_service_by_class, label, highest),
            presentation_by_class=_with(self.presentation_by_class, label, presentation_units),
        )

    def review_days_of(self, label: str) -> int:
        """Days between two reviews of a line of this class."""
        return _by_class(self.review_days_by_class, label, self.review_days)

    def service_of(self, label: str) -> tuple[float, float]:
        """The lowest and the highest service level of a line of this class."""
        return (
            _by_class(self.lowest_service_by_class, label, self.lowest_service),
            _by_class(self.highest_service_by_class, label, self.highest_service),
        )

    def presentation_of(self, label: str) -> int:
        """The shelf minimum of a line of this class, in base units."""
        return _by_class(self.presentation_by_class, label, self.presentation_units)

    @property
    def limits_pallets(self) -> bool:
        """Whether any place takes a limited number of pallets."""
        return math.isfinite(self.pallets) or bool(self.pallets_by_place)

    def pallets_of(self, place: str) -> float:
        """The most pallets a place takes in a day; infinite where nothing is said."""
        return self.pallets_by_place.get(place, self.pallets)

    def class_rules(self, label: str) -> dict[str, str]:
        """What a line's class steers: setting -> the class of the policy that set it.

        A setting that is missing has the policy's general number.
        """
        found = {name: class_rule(listed, label) for name, listed in self._by_class().items()}
        return {name: rule for name, rule in found.items() if rule is not None}

    def _by_class(self) -> dict[str, Mapping[str, float]]:
        """The settings that a class can change, with their values by class."""
        return {
            "review.days": self.review_days_by_class,
            "service.lowest": self.lowest_service_by_class,
            "service.highest": self.highest_service_by_class,
            "presentation.units": self.presentation_by_class,
        }

    def digest(self) -> str:
        """A SHA-256 of the policy: equal policies have equal digests, in every process."""
        content = {
            **asdict(self),
            "auto_approval": [
                [rule.kind, sorted(rule.labels), rule.max_value_cents, rule.name]
                for rule in self.auto_approval
            ],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _by_class(values: Mapping[str, _Number], label: str, default: _Number) -> _Number:
    rule = class_rule(values, label)
    return default if rule is None else values[rule]


def _with(
    values: Mapping[str, _Number], label: str, value: _Number | None
) -> Mapping[str, _Number]:
    """The values by class with one more; None changes nothing."""
    return values if value is None else {**values, label: value}


def _shipped_tables() -> dict[str, object]:
    shipped = resources.files(__package__).joinpath("policy.toml").read_text("utf-8")
    return dict(tomllib.loads(shipped))


@cache
def _shipped_policy() -> Policy:
    """Read once: every transaction has it at hand."""
    return _policy(_shipped_tables(), "policy.toml")


def _merged(base: dict[str, object], given: Mapping[str, object], place: str) -> dict[str, object]:
    """The shipped tables with the given ones laid over them, one level deep."""
    merged = dict(base)
    for name, value in given.items():
        if name != "auto_approval" and name not in _KEYS:
            raise BadInput(
                f"unknown table [{name}]",
                place=place,
                remedy=f"known are {', '.join((*_KEYS, 'auto_approval'))}",
            )
        old = merged.get(name)
        both = isinstance(old, dict) and isinstance(value, dict)
        merged[name] = {**old, **value} if both else value  # type: ignore[dict-item]
    return merged


def _policy(tables: Mapping[str, object], place: str) -> Policy:
    """The policy the tables describe."""
    for name, keys in _KEYS.items():
        table = tables.get(name, {})
        if not isinstance(table, dict) or not table.keys() <= keys:
            raise BadInput(
                f"[{name}] is not understood",
                place=place,
                remedy=f"its keys are {', '.join(sorted(keys))}",
            )
    part: dict[str, dict[str, object]] = {
        name: dict(table) for name in _KEYS if isinstance(table := tables.get(name, {}), dict)
    }
    service, review, presentation = part["service"], part["review"], part["presentation"]
    budget = part["budget"].get("cents")
    shipped = Policy()
    return Policy(
        lowest_service=_number(service, "lowest", shipped.lowest_service, place=place),
        highest_service=_number(service, "highest", shipped.highest_service, place=place),
        lowest_service_by_class=_bounds_by_class(service, "lowest", place),
        highest_service_by_class=_bounds_by_class(service, "highest", place),
        goodwill_rate=_number(service, "goodwill_rate", 0.0, place=place),
        holding_rate_per_year=_number(service, "holding_rate_per_year", 0.25, place=place),
        review_days=int(_number(review, "days", 1, place=place)),
        review_days_by_class=_whole_by_class(review.get("by_class", {}), place),
        presentation_units=int(_number(presentation, "units", 0, place=place)),
        presentation_by_class=_whole_by_class(presentation.get("by_class", {}), place),
        measured_from_deliveries=int(
            _number(part["lead_time"], "measured_from_deliveries", 5, place=place)
        ),
        valid_days=int(_number(part["proposal"], "valid_days", 3, place=place)),
        budget_cents=None
        if budget is None
        else int(_number(part["budget"], "cents", 0, place=place)),
        pallets=_number(part["receiving"], "pallets", math.inf, place=place),
        pallets_by_place=_by_place(part["receiving"].get("by_place", {}), place),
        auto_approval=_rules(tables.get("auto_approval", []), place),
        moving=read_moving(part["transfers"], place),
    )


def _number(table: Mapping[str, object], key: str, default: float, *, place: str) -> float:
    value = table.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{key} = {value!r} is no number", place=place)
    return value


def _whole_by_class(table: object, place: str) -> dict[str, int]:
    if not isinstance(table, dict):
        raise BadInput("by_class is no table", place=place, remedy="write [review.by_class]")
    return {str(label): int(_number(table, label, 0, place=place)) for label in table}


def _by_place(table: object, place: str) -> dict[str, float]:
    if not isinstance(table, dict):
        raise BadInput("by_place is no table", place=place, remedy="write [receiving.by_place]")
    return {str(code): _number(table, code, 0.0, place=place) for code in table}


def _bounds_by_class(service: Mapping[str, object], key: str, place: str) -> dict[str, float]:
    """One of the two bounds of the classes that give it: CZ = { lowest = 0.6, highest = 0.9 }."""
    table = service.get("by_class", {})
    bounds: dict[str, float] = {}
    for label, given in (table if isinstance(table, dict) else {"by_class": table}).items():
        if not isinstance(given, dict) or not given.keys() <= {"lowest", "highest"}:
            raise BadInput(
                f"[service.by_class] {label} is not understood",
                place=place,
                remedy="write CLASS = { lowest = SHARE, highest = SHARE }, or one of the two",
            )
        if key in given:
            bounds[str(label)] = _number(given, key, 0.0, place=place)
    return bounds


def _rules(given: object, place: str) -> tuple[AutoApproval, ...]:
    """The auto-approval rules; raises BadInput for one that is not complete."""
    rules = []
    for at, rule in enumerate(given if isinstance(given, list) else [given], start=1):
        if not isinstance(rule, dict) or not {"name", "max_value_cents"} <= rule.keys():
            raise BadInput(
                f"auto_approval rule {at} is not complete",
                place=place,
                remedy="give name, classes and max_value_cents",
            )
        classes = frozenset(map(str, rule.get("classes", [])))
        for name in classes:
            check_class(name, place=f"{place}, auto_approval rule {at}")
        kind = str(rule.get("kind", KIND))
        if kind not in (KIND, TRANSFER):
            raise BadInput(
                f"kind {kind!r}",
                place=f"{place}, auto_approval rule {at}",
                remedy=f"give {KIND} or {TRANSFER}",
            )
        most = int(_number(rule, "max_value_cents", 0, place=place))
        rules.append(AutoApproval(kind, classes, most, str(rule["name"])))
    return tuple(rules)
