"""Why a promotion or coupon does not count, and what would make it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """The rule that refused."""

    UNKNOWN = "unknown"
    """There is no such promotion now."""
    NOT_YET = "not_yet"
    OVER = "over"
    DAY = "day"
    """Not on this day of the week or month."""
    CHANNEL = "channel"
    PLACE = "place"
    TIER = "tier"
    NEWCOMERS = "newcomers"
    HAD = "had"
    """The member had it as often as may be."""
    GOODS = "goods"
    """None of its goods are in the basket."""
    WEIGHED = "weighed"
    """It counts pieces, and its goods are sold by weight."""
    MINIMUM_CENTS = "minimum_cents"
    MINIMUM_PIECES = "minimum_pieces"
    EXCLUDED = "excluded"
    GROUP = "group"
    STACKING = "stacking"
    """Promotions that it may not be joined with bear on all of its goods."""
    AGAIN = "again"
    """A coupon of the same promotion counts already."""
    BUDGET = "budget"
    SOLD_OUT = "sold_out"
    """Its gift is."""
    NOTHING = "nothing"
    """It would save nothing."""


_SENTENCES = {
    Why.UNKNOWN: "there is no such promotion now",
    Why.NOT_YET: "it begins {when}",
    Why.OVER: "it ended {when}",
    Why.DAY: "it does not hold today: come on its days",
    Why.CHANNEL: "it does not hold in this channel: buy at {of}",
    Why.PLACE: "it does not hold at this place: buy at {of}",
    Why.TIER: "it is for {of}",
    Why.NEWCOMERS: "it is for a member's first order",
    Why.HAD: "it was had {has} of {needs} times",
    Why.GOODS: "none of its goods are in the basket",
    Why.WEIGHED: "it counts pieces, and these goods are sold by weight",
    Why.MINIMUM_CENTS: "its goods come to {has} cents of {needs}: {missing} more are missing",
    Why.MINIMUM_PIECES: "its goods are {has} pieces of {needs}: {missing} more are missing",
    Why.EXCLUDED: "it is not given along with {by}",
    Why.GROUP: "{by} saves more, and only one of the two counts",
    Why.STACKING: "it is not joined with {by}, which bears on the same goods",
    Why.AGAIN: "{by} is used already, and one counts",
    Why.BUDGET: "{has} cents are left for it, and it would take {needs}",
    Why.SOLD_OUT: "its gift is sold out",
    Why.NOTHING: "it would save nothing",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A promotion, or the coupon of it, that does not count.

    `by`: the promotions or the coupon that stand against it. `has` of what it `needs`, in cents,
    pieces or times. `of`: the channels, places or tiers it is for. `when` it begins or ended.
    """

    promotion: str
    why: Why
    coupon: str = ""
    by: tuple[str, ...] = ()
    has: int = 0
    needs: int = 0
    of: tuple[str, ...] = ()
    when: str = ""

    def __str__(self) -> str:
        """It as a sentence, without the promotion's name."""
        told = {"has": self.has, "needs": self.needs, "missing": self.needs - self.has}
        joined = {"by": ", ".join(self.by), "of": ", ".join(self.of) or "members"}
        return _SENTENCES[self.why].format(**told, **joined, when=self.when)
