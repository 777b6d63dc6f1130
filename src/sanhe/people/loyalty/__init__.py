"""Loyalty (会员忠诚): points, stored value and tiers of members.

Systems: S11.
Commands: sanhe member points, sanhe member adjust, sanhe member top-up, sanhe member refund,
sanhe loyalty liability, sanhe loyalty run.

Inputs: what members bought, what came back, what they spend. Points and stored value are accounts
in the same double-entry ledger as stock; a member's code is the retailer's own and names nobody.
Decides which lots are spent, given back, taken back and over, and who rises, keeps a tier or
falls. Outputs: balances with their lots, histories with reasons. Everything is named by its
caller: the same again changes nothing.
"""

from sanhe.people.loyalty.history import Page, Told
from sanhe.people.loyalty.memory import MemoryEntries
from sanhe.people.loyalty.outstanding import Liability, Month, liability
from sanhe.people.loyalty.points import Lot, Points, PointsBalance, PointsBook
from sanhe.people.loyalty.policy import Events, MemberDays, Policy
from sanhe.people.loyalty.ports import DEBT, Entries, Entry, Kind, Purse, Written
from sanhe.people.loyalty.rewards import Rewards
from sanhe.people.loyalty.rules import Life, Until, last_day, points_for, share
from sanhe.people.loyalty.standing import Level, Progress, Reason, Standing, Terms
from sanhe.people.loyalty.store import PostgresEntries
from sanhe.people.loyalty.stored import StoredBalance, StoredBook, StoredTopUp, StoredValue
from sanhe.people.loyalty.tiers import Change, Tiers

__all__ = [
    "DEBT",
    "Change",
    "Entries",
    "Entry",
    "Events",
    "Kind",
    "Level",
    "Liability",
    "Life",
    "Lot",
    "MemberDays",
    "MemoryEntries",
    "Month",
    "Page",
    "Points",
    "PointsBalance",
    "PointsBook",
    "Policy",
    "PostgresEntries",
    "Progress",
    "Purse",
    "Reason",
    "Rewards",
    "Standing",
    "StoredBalance",
    "StoredBook",
    "StoredTopUp",
    "StoredValue",
    "Terms",
    "Tiers",
    "Told",
    "Until",
    "Written",
    "last_day",
    "liability",
    "points_for",
    "share",
]
