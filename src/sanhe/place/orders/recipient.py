"""Who an order goes to (收件人): checked, written to be sealed, and shown in part. Pure functions.

Nothing here says a recipient's data in a message: refusals name the field alone.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Final

import orjson

from sanhe.core.errors import BadInput
from sanhe.core.persons import masked_name, masked_phone

MOST_LINES: Final = 4
LONGEST: Final = {"name": 80, "phone": 40, "region": 120, "postcode": 16, "note": 300, "lines": 120}
"""The most characters of each field; of `lines`, of one line."""
_PHONE: Final = re.compile(r"\+?[0-9][0-9 ()./-]*[0-9]")
_DIGITS: Final = range(5, 16)
"""A number has up to 15 digits (ITU-T E.164); service numbers have 5."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who a courier brings an order to, or who fetches it; it is not shown by `repr`.

    `lines` are the address, street first; `region` the province, city and district it lies in;
    `note` is for who brings it.
    """

    name: str
    phone: str
    lines: tuple[str, ...] = ()
    region: str = ""
    postcode: str = ""
    note: str = ""

    def __repr__(self) -> str:
        return "Recipient(…)"

    def written(self) -> str:
        """All of it as one text, to be sealed."""
        return orjson.dumps(asdict(self)).decode()

    @classmethod
    def read(cls, text: str) -> Recipient:
        """The inverse of `written`. Raises ValueError or TypeError for what is no recipient."""
        told = dict(orjson.loads(text))
        lines = told.pop("lines", ())
        if not all(isinstance(one, str) for one in (*lines, *told.values())):
            raise TypeError("a recipient is made of texts")
        return cls(**told, lines=tuple(lines))


class Kept(StrEnum):
    """What is left of an order's recipient."""

    KEPT = "kept"
    ERASED = "erased"
    AWAY = "away"
    """The key that opens it is not available now."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A recipient as who need not know it sees it: enough to tell two apart."""

    state: Kept
    name: str = ""
    phone: str = ""
    region: str = ""

    @classmethod
    def of(cls, recipient: Recipient) -> Masked:
        """The mask of a recipient: of the address only the region is left."""
        name, phone = masked_name(recipient.name), masked_phone(recipient.phone)
        return cls(Kept.KEPT, name, phone, recipient.region)


def checked_recipient(given: Recipient | None, method: str) -> Recipient | None:
    """The recipient as it is kept, for how the goods reach the shopper.

    A courier needs name, phone and address; who fetches an order may leave name and phone; what is
    taken along has no recipient. Raises BadInput naming the field.
    """
    if given is None:
        if method == "courier":
            raise _wrong("", "a courier needs to know who to bring it to", "give name and address")
        return None
    if method == "carry":
        raise _wrong("", "what is taken along has no recipient", "leave it out")
    found = Recipient(
        name=_text("name", given.name),
        phone=_text("phone", unicodedata.normalize("NFKC", given.phone)),
        lines=tuple(_text("lines", line, f"lines/{at}") for at, line in enumerate(given.lines)),
        region=_text("region", given.region),
        postcode=_text("postcode", given.postcode),
        note=_text("note", given.note),
    )
    if not found.name:
        raise _wrong("name", "no name is given", "say who takes it")
    digits = sum(sign.isdigit() for sign in found.phone)
    if not _PHONE.fullmatch(found.phone) or digits not in _DIGITS:
        raise _wrong("phone", "this is no telephone number", "e.g. 021 5555 1234 or +49 30 1234567")
    _check_address(found, method)
    return found


def _check_address(found: Recipient, method: str) -> None:
    if method == "courier" and not any(found.lines):
        raise _wrong("lines", "no address is given", "give street and number")
    if method == "courier" and len(found.lines) > MOST_LINES:
        raise _wrong("lines", f"more than {MOST_LINES} lines", "put some of them into one")
    if method != "courier":
        for name in ("lines", "region", "postcode"):
            if getattr(found, name):
                raise _wrong(name, "who fetches it needs no address", "leave it out")


def _text(field: str, value: str, place: str = "") -> str:
    text = value.strip()
    if len(text) > LONGEST[field]:
        raise _wrong(place or field, f"more than {LONGEST[field]} characters", "shorten it")
    if not text.isprintable():
        raise _wrong(place or field, "a sign in it can't be printed", "leave it out")
    return text


def _wrong(field: str, what: str, remedy: str) -> BadInput:
    return BadInput(what, place="/".join(filter(None, ("recipient", field))), remedy=remedy)
