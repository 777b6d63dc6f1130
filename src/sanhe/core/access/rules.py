"""The rules of access: names, roles and scopes that fit, the table of actions, sign-in limits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from types import MappingProxyType
from typing import Final

from sanhe.core.access.ports import Identity, Role
from sanhe.core.errors import BadInput
from sanhe.core.limits import Limit

LANGUAGES: Final = ("zh-CN", "en")

IDLE: Final = timedelta(hours=12)
"""A session that is not used so long is over."""
LONGEST: Final = timedelta(days=7)
"""A session is over then, however much it is used."""


BY_NAME: Final = Limit(5, timedelta(minutes=2))
BY_ADDRESS: Final = Limit(30, timedelta(seconds=6))
"""Sign-in limits; both must have room. A sign-in that goes well gives its attempt back.

In n days a name is guessed at no more than 5 + 720 n times, from however many addresses: a
million of the commonest passwords takes 1,389 days, and a password of four words out of 7,776
has 3.7e15. With a known password the code of a second factor is hit with a chance of 3 codes in
a million per attempt: 0.2 % a day. One address tries no more than 30 + 14,400 n passwords, over
all names. An address from which a name has signed in within `KNOWN` has attempts of its own for
it, so that others' guesses keep its owner waiting nowhere but at a new address.
"""
KNOWN: Final = timedelta(days=90)

_NAME = re.compile(r"[\w][\w.@+-]{0,63}")
_RESERVED = frozenset({"demo", "doctor", "key", "ledger", "outbox", "rule", "verify", "worker"})
_STAFF: Final = frozenset(Role) - {Role.SUPPLIER}
_SEE: Final = frozenset({Role.PLANNER, Role.BUYER, Role.PRICING, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Action:
    """Something that is allowed or not: who may do it, and what it is."""

    roles: frozenset[Role]
    meaning: str


def _action(roles: Iterable[Role], meaning: str) -> Action:
    return Action(frozenset(roles), meaning)


ACTIONS: Final[Mapping[str, Action]] = MappingProxyType(
    {
        "cockpit.read": _action(_SEE | {Role.GROWTH, Role.STORE}, "see the figures of the day"),
        "catalog.read": _action(_STAFF, "see items and places"),
        "prices.read": _action(_STAFF, "see prices"),
        "stock.read": _action(_SEE | {Role.STORE, Role.SERVICE}, "see stock and its history"),
        "forecast.read": _action(_SEE | {Role.STORE}, "see forecasts and what they were worth"),
        "forecast.override": _action({Role.PLANNER, Role.ADMIN}, "say otherwise than a forecast"),
        "decisions.read": _action(
            _SEE | {Role.STORE, Role.SERVICE}, "see proposals and what became of them"
        ),
        "decisions.decide": _action(
            {Role.PLANNER, Role.BUYER, Role.ADMIN}, "approve, edit, reject or put off a proposal"
        ),
        "plan.run": _action({Role.PLANNER, Role.ADMIN}, "have orders proposed"),
        "policy.simulate": _action({Role.PLANNER, Role.ADMIN}, "try another policy on the past"),
        "policy.change": _action({Role.PLANNER, Role.ADMIN}, "change policy and assumptions"),
        "health.read": _action(_SEE | {Role.STORE}, "see the health of the stock"),
        "health.apply": _action({Role.PLANNER, Role.ADMIN}, "apply moves between classes"),
        "orders.read": _action(
            {Role.PLANNER, Role.BUYER, Role.STORE, Role.SERVICE, Role.SUPPLIER, Role.ADMIN},
            "see purchase orders",
        ),
        "orders.change": _action({Role.BUYER, Role.ADMIN}, "send and cancel purchase orders"),
        "orders.answer": _action({Role.SUPPLIER}, "accept, counter or announce deliveries"),
        "orders.receive": _action({Role.STORE, Role.BUYER, Role.ADMIN}, "receive deliveries"),
        "sales.read": _action(
            {Role.STORE, Role.SERVICE, Role.GROWTH, Role.PLANNER, Role.CHANNEL, Role.ADMIN},
            "see what shoppers ordered",
        ),
        "promises.read": _action(
            _SEE | {Role.GROWTH, Role.SERVICE}, "see what can be promised where"
        ),
        "sales.place": _action(
            {Role.STORE, Role.SERVICE, Role.CHANNEL, Role.ADMIN},
            "quote, place and cancel orders of shoppers",
        ),
        "sales.take_money": _action(
            {Role.STORE, Role.CHANNEL, Role.ADMIN}, "say that money was taken at the till"
        ),
        "sales.hand_over": _action(
            {Role.STORE, Role.CHANNEL, Role.ADMIN}, "hand goods over to shoppers"
        ),
        "sales.pick": _action(
            {Role.STORE, Role.ADMIN}, "do a store's tasks: pick, hand over by code, take returns in"
        ),
        "sales.return": _action(
            {Role.STORE, Role.SERVICE, Role.CHANNEL, Role.ADMIN}, "ask for goods to come back"
        ),
        "recipients.label": _action(
            {Role.STORE, Role.SERVICE, Role.ADMIN},
            "see who an open order of one's places goes to; each time is kept",
        ),
        "recipients.read": _action(
            {Role.SERVICE, Role.ADMIN}, "see who any order goes to; each time is kept"
        ),
        "members.read": _action(
            {Role.STORE, Role.SERVICE, Role.GROWTH, Role.CHANNEL, Role.ADMIN},
            "see what members have: tier, points, stored value",
        ),
        "members.adjust": _action({Role.SERVICE, Role.ADMIN}, "correct a member's points"),
        "members.store": _action({Role.SERVICE, Role.ADMIN}, "store value, and refund it unspent"),
        "loyalty.read": _action(
            {Role.GROWTH, Role.PRICING, Role.PLANNER, Role.ADMIN},
            "see what members may still ask for",
        ),
        "terms.read": _action(
            {Role.PLANNER, Role.BUYER, Role.SUPPLIER, Role.ADMIN}, "see supply terms and costs"
        ),
        "prices.change": _action({Role.PRICING, Role.ADMIN}, "change prices"),
        "promotions.read": _action(
            {Role.GROWTH, Role.PRICING, Role.STORE, Role.SERVICE, Role.PLANNER, Role.ADMIN},
            "see promotions, campaigns and what became of coupons",
        ),
        "promotions.change": _action(
            {Role.GROWTH, Role.PRICING, Role.ADMIN},
            "save and propose promotions, keep campaigns, issue coupons",
        ),
        "promotions.publish": _action(
            {Role.PRICING, Role.ADMIN}, "approve and withdraw promotions"
        ),
        "data.import": _action({Role.PLANNER, Role.ADMIN}, "take in files and undo an import"),
        "data.read": _action(_SEE, "see imports and the quality of the data"),
        "audit.read": _action({Role.ADMIN}, "read the whole trail; one's own is for everybody"),
        "devices.manage": _action({Role.STORE, Role.ADMIN}, "register, block and renew tills"),
        "accounts.manage": _action({Role.ADMIN}, "make and change accounts and keys"),
    }
)
"""All there is to be allowed, by name. A page names the action it stands on."""


def may(identity: Identity, action: str) -> bool:
    """Whether one of the identity's roles may do this. Raises KeyError for an unknown action."""
    return not identity.roles.isdisjoint(ACTIONS[action].roles)


def actions_of(roles: Collection[Role]) -> tuple[str, ...]:
    """All that these roles may do, in order of the table."""
    return tuple(name for name, action in ACTIONS.items() if not action.roles.isdisjoint(roles))


def checked_name(name: str) -> str:
    """A name as it is kept: NFKC, small letters. Raises BadInput.

    Names stand in the audit trail: what the jobs call themselves can't be taken.
    """
    kept = unicodedata.normalize("NFKC", name).strip().casefold()
    if not _NAME.fullmatch(kept):
        raise BadInput(
            f"{name!r} is no name for an account",
            remedy="1 to 64 letters, digits and . @ + - _, beginning with a letter or digit",
        )
    if kept in _RESERVED:
        raise BadInput(f"the name {kept!r} is one of sanhe's own", remedy="choose another")
    return kept


def check_language(language: str) -> None:
    """Raise BadInput for a language that the pages don't have."""
    if language not in LANGUAGES:
        raise BadInput(f"no language {language!r}", remedy=f"give {' or '.join(LANGUAGES)}")


def checked_roles(roles: Iterable[str]) -> frozenset[Role]:
    """The roles of these words; at least one. Raises BadInput."""
    given = list(roles)
    unknown = [role for role in given if role not in set(Role)]
    if unknown or not given:
        what = f"no role {unknown[0]!r}" if unknown else "no role is given"
        raise BadInput(what, remedy=f"give one or more of {', '.join(Role)}")
    return frozenset(Role(role) for role in given)


def check_scope(
    roles: Collection[Role], places: Collection[str] | None, suppliers: Collection[str] | None
) -> None:
    """Raise BadInput where roles and what they may see don't fit each other.

    A supplier names its suppliers and has no other role, as it looks from outside. Who works for
    the retailer sees all suppliers. A store names its places.
    """
    if places is not None and not places:
        raise BadInput("no place is named", remedy="name places, or none at all for every place")
    if Role.SUPPLIER in roles:
        if len(roles) > 1:
            raise BadInput(
                "a supplier's account has no further role", remedy="make a second account"
            )
        if not suppliers:
            raise BadInput("a supplier's account names its suppliers", remedy="name one or more")
    elif suppliers is not None:
        raise BadInput("only a supplier's account names suppliers", remedy="leave them out")
    if Role.STORE in roles and places is None:
        raise BadInput("a store's account names its places", remedy="name one or more")


def check_device(roles: Collection[Role], places: Collection[str] | None) -> None:
    """Raise BadInput for a device's key that would open more than the place it stands in."""
    if places is None or Role.ADMIN in roles:
        raise BadInput(
            "a device's key names its places and is no administrator's",
            remedy="name the places where it stands",
        )


def expiry(created_at: datetime, seen_at: datetime) -> datetime:
    """When a session ends that is not used again."""
    return min(seen_at + IDLE, created_at + LONGEST)


def address_key(address: str) -> str:
    """What an address is counted as: itself; of IPv6 the /64 network, which has one holder."""
    try:
        known = ip_address(address)
    except ValueError:
        return address[:64]
    if known.version == 6:
        return str(ip_network((known, 64), strict=False))
    return str(known)


def code_steps(moment: datetime) -> range:
    """The 30-second steps whose codes are taken at this moment: one before and after too."""
    now = int(moment.timestamp()) // 30
    return range(now - 1, now + 2)
