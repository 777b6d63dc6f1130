"""Promotions, baskets and coupons as JSON, and back; another language reads the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from sanhe.core.errors import BadInput
from sanhe.people.promotions.rules import Asked, Promotion, Stacking

_KNOWN: Final[Mapping[type, TypeAdapter[Any]]] = {
    one: TypeAdapter(one) for one in (Promotion, Stacking, Asked)
}
Read = TypeVar("Read", Promotion, Stacking, Asked)


def read(kind: type[Read], given: object) -> Read:
    """A promotion, stacking or basket from JSON. Raises BadInput with the place in it."""
    try:
        found: Read = _KNOWN[kind].validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(step) for step in first["loc"])
        raise BadInput(str(first["msg"]), place=place, remedy="mend it and save again") from error
    return found


def write(one: Any) -> Any:
    """As JSON: sets as sorted lists, moments with their offset."""
    if is_dataclass(one):
        return {each.name: write(getattr(one, each.name)) for each in fields(one)}
    if isinstance(one, Mapping):
        return {name: write(value) for name, value in one.items()}
    if isinstance(one, frozenset):
        return sorted(write(value) for value in one)
    if isinstance(one, tuple):
        return [write(value) for value in one]
    return one.isoformat() if isinstance(one, datetime) else one
