"""What campaigns and coupons are, which of them may be used, and how codes are written.

Pure functions. Nothing here tells a coupon's code: messages show the last four characters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from pydantic import TypeAdapter, ValidationError

from sanhe.core.errors import BadInput
from sanhe.core.limits import Limit
from sanhe.people.promotions import Coupon, Priced

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no I, L, O, U, so that what is read aloud is typed right."""
CODE_LENGTH: Final = 16
"""80 bits; see `expected_hits_a_day`."""
MOST_SHOWN: Final = 20
"""A basket shows no more codes."""
STAMPS: Final = 1_000_000
"""How many stamps a member's card of a promotion has: so many less `per_member` are kept on it."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign that gives coupons (发券活动) of one `promotion`.

    The promotion says what a coupon gives (money off, a gift, postage, a free trial), on which
    goods, where, and within which budget. A coupon is valid from when it is issued, or
    `begins_at` where that is later, until `ends_at`; with `days` so many days at most.
    `most`: so many coupons in all. `per_member`: so many for each member.
    """

    id: str
    name: str
    promotion: str
    begins_at: datetime
    ends_at: datetime
    days: int | None = None
    most: int | None = None
    per_member: int | None = None

    def window(self, at: datetime) -> tuple[datetime, datetime]:
        """From when until when a coupon issued at a moment is valid, in whole seconds.

        Raises BadInput where that is no time at all.
        """
        begins = max(self.begins_at, at).replace(microsecond=0)
        ends = self.ends_at.replace(microsecond=0)
        if self.days is not None:
            ends = min(ends, begins + timedelta(days=self.days))
        if begins >= ends:
            raise BadInput(
                f"campaign {self.id} ended {self.ends_at.isoformat()}",
                place="ends_at",
                remedy="let it end later, then issue",
            )
        return begins, ends


def read_campaign(given: object) -> Campaign:
    """A campaign from JSON. Raises BadInput with the place in it."""
    try:
        return _CAMPAIGN.validate_python(given)
    except ValidationError as error:
        first = error.errors()[0]
        place = "/".join(str(step) for step in first["loc"])
        raise BadInput(str(first["msg"]), place=place, remedy="mend it and save again") from error


def check_campaign(campaign: Campaign) -> None:
    """Raise BadInput for a campaign that can't be."""
    place = f"campaigns/{campaign.id}"
    if not campaign.id or not campaign.name.strip():
        raise BadInput("it has no id or name", place=place, remedy="give both")
    if campaign.begins_at.tzinfo is None or campaign.ends_at.tzinfo is None:
        what, remedy = "its times have no offset", "write them as ...+08:00"
        raise BadInput(what, place=f"{place}/begins_at", remedy=remedy)
    if campaign.begins_at >= campaign.ends_at:
        what = "it ends before it begins"
        raise BadInput(what, place=f"{place}/ends_at", remedy="let it end later")
    for name in ("days", "most", "per_member"):
        value = getattr(campaign, name)
        if value is not None and value < 1:
            remedy = "give 1 or more, or leave it out for no limit"
            raise BadInput(f"{value} is below 1", place=f"{place}/{name}", remedy=remedy)


_CAMPAIGN: Final = TypeAdapter(Campaign)


class Lack(StrEnum):
    """Why a code that is shown is no coupon that may be used."""

    UNKNOWN = "unknown"
    FORGED = "forged"
    """It is written like a signed coupon, and the signature is not ours."""
    ANOTHERS = "anothers"
    """It was given to another member."""
    USED = "used"
    HELD = "held"
    """It lies in a basket that is not paid yet."""
    NOT_YET = "not_yet"
    OVER = "over"
    STOPPED = "stopped"
    """Its campaign was stopped."""
    TOO_MANY = "too_many"
    """Too many codes were tried that there are not."""


_SENTENCES: Final = {
    Lack.UNKNOWN: "there is no such coupon: read the code again",
    Lack.FORGED: "this coupon was not issued here",
    Lack.ANOTHERS: "it was given to another member: sign in as the one who has it",
    Lack.USED: "it was used",
    Lack.HELD: "it lies in another basket: pay or cancel that one",
    Lack.NOT_YET: "it begins {when}",
    Lack.OVER: "it ended {when}",
    Lack.STOPPED: "its campaign was stopped",
    Lack.TOO_MANY: "too many codes were tried: wait until {when}",
}


@dataclass(frozen=True, slots=True)
class NotUsable:
    """Why a code can't be used, and `when` it could or could have been."""

    lack: Lack
    when: datetime | None = None

    def __str__(self) -> str:
        """It as a sentence."""
        when = "" if self.when is None else self.when.isoformat()
        return _SENTENCES[self.lack].format(when=when)


@dataclass(frozen=True, slots=True)
class Shown:
    """What codes that were shown are worth: `coupons` that may be used, and what each of the
    other codes lacks. A coupon's `code` is as it was shown."""

    coupons: tuple[Coupon, ...]
    refused: Mapping[str, NotUsable]


@dataclass(frozen=True, slots=True)
class Use:
    """A promotion that counts in a basket, its coupon's code ("" = none), and what it takes off."""

    promotion: str
    coupon_code: str
    cents: int


def uses_of(priced: Priced) -> list[Use]:
    """What a priced basket uses."""
    return [Use(one.promotion, one.coupon, one.cents) for one in priced.applied]


@dataclass(frozen=True, slots=True)
class IssuedCoupon:
    """A coupon as it is kept: without its code, of which only a hash is."""

    id: UUID
    campaign: str
    promotion: str
    member: str | None
    begins_at: datetime
    ends_at: datetime
    stopped_at: datetime | None = None

    def lack(self, member: str | None, at: datetime) -> NotUsable | None:
        """What keeps a member from using it at a moment, whatever became of it before."""
        if self.member is not None and self.member != member:
            return NotUsable(Lack.ANOTHERS)
        if self.stopped_at is not None:
            return NotUsable(Lack.STOPPED)
        if at < self.begins_at:
            return NotUsable(Lack.NOT_YET, self.begins_at)
        if at >= self.ends_at:
            return NotUsable(Lack.OVER, self.ends_at)
        return None


BY_MEMBER: Final = Limit(10, timedelta(minutes=1))
BY_KEY: Final = Limit(600, timedelta(seconds=1))
"""Limits on codes that there are not: of a member, and of a key (a till, the app's server)."""


def attempts_a_day(limit: Limit) -> int:
    """How many codes can be tried within any 24 hours."""
    return limit.attempts + timedelta(days=1) // limit.refill


def expected_hits_a_day(*, keys: int, live: int) -> float:
    """How many live coupons are expected to be guessed in a day through so many keys, all of them
    trying as fast as they are let.

    keys x attempts a day x live / 32^16.

    >>> f"{expected_hits_a_day(keys=2_000, live=10_000_000):.0e}"
    '1e-09'
    """
    space: int = len(ALPHABET) ** CODE_LENGTH
    return keys * attempts_a_day(BY_KEY) * live / space


_READ_AS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "-": None, " ": None})


def plain(code: str) -> str:
    """A code as it is compared: capitals without gaps; O is 0, I and L are 1.

    >>> plain("7k2m-oil0 qrst")
    '7K2M0110QRST'
    """
    return code.upper().translate(_READ_AS)


def spaced(code: str) -> str:
    """A code as it is printed, in groups of four.

    >>> spaced("7K2M0110QRST")
    '7K2M-0110-QRST'
    """
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def is_typed(code: str) -> bool:
    """Whether a plain code has the form of one that is typed."""
    return len(code) == CODE_LENGTH and set(code) <= set(ALPHABET)


def masked(code: str) -> str:
    """The last four characters, which name it to whoever holds it and to nobody else."""
    return f"coupon …{plain(code)[-4:]}"
