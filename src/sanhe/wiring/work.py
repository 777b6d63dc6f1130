"""One transaction with every capability on it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Final, NamedTuple
from uuid import UUID

from sanhe.core import places as core_places
from sanhe.core.access import Access
from sanhe.core.audit import PostgresAudit
from sanhe.core.commands import Commands
from sanhe.core.decisions import PostgresDecisions
from sanhe.core.facts import FactTypes, PostgresFacts, Projection
from sanhe.core.jobs import PostgresJobs, PostgresOutbox
from sanhe.core.lake import FACTS_FOLDER
from sanhe.core.ledger import PostgresLedger
from sanhe.core.persons import MasterKeys, Persons
from sanhe.core.places import Places
from sanhe.core.settings import Settings
from sanhe.core.storage import Transaction
from sanhe.goods import catalog, demand, stock, suppliers
from sanhe.goods.catalog import Catalog
from sanhe.goods.replenish import DECISION_KIND, TRANSFER_KIND, Assumptions, Policy, Replenish
from sanhe.goods.stock import Stock
from sanhe.goods.suppliers import Suppliers
from sanhe.loop.promoting import PUBLISH
from sanhe.loop.views import Views
from sanhe.people import loyalty
from sanhe.people.coupons import FACT_TYPES as COUPON_FACT_TYPES
from sanhe.people.coupons import Coupons, Keys
from sanhe.people.loyalty import Points, Rewards, StoredValue, Tiers
from sanhe.people.promotions import FACT_TYPES as PROMOTION_FACT_TYPES
from sanhe.people.promotions import Promotions
from sanhe.place import sourcing, stores
from sanhe.place.devices import Devices
from sanhe.place.fulfil import Bookings, Fulfil
from sanhe.place.orders import Benefits, Dues, Nearby, Orders, Recipients
from sanhe.place.returns import Returns
from sanhe.place.sourcing import Nodes
from sanhe.place.stores import Stores
from sanhe.place.tasks import Tasks

FACT_TYPES = FactTypes(
    core_places.FACT_TYPES
    + catalog.FACT_TYPES
    + stock.FACT_TYPES
    + suppliers.FACT_TYPES
    + demand.FACT_TYPES
    + stores.FACT_TYPES
    + COUPON_FACT_TYPES
    + PROMOTION_FACT_TYPES
)
"""All published fact types."""

EVERYWHERE: Final = frozenset(FACTS_FOLDER + kind.name for kind in FACT_TYPES if kind.everywhere)
"""The lake's tables of facts that hold in all places when they name none."""

COUPON_KEY: Final = "keys/coupons"
"""Where the secret of coupons lies in the home."""

PERSONS_KEY: Final = "persons.key"
"""Where the master key of personal data lies in the home: beside what backups keep of it."""


@dataclass(frozen=True, slots=True)
class Work:
    """What one request or job works with; all of it is committed at the end or nothing.

    `projections` is what follows the facts, in the order of dependence.
    """

    facts: PostgresFacts
    ledger: PostgresLedger
    decisions: PostgresDecisions
    jobs: PostgresJobs
    outbox: PostgresOutbox
    audit: PostgresAudit
    access: Access
    commands: Commands
    persons: Persons
    places: Places
    stores: Stores
    catalog: Catalog
    stock: Stock
    suppliers: Suppliers
    replenish: Replenish
    tasks: Tasks
    devices: Devices
    views: Views
    orders: Orders
    recipients: Recipients
    dues: Dues
    nodes: Nodes
    sourcing: Nearby
    fulfil: Fulfil
    bookings: Bookings
    returns: Returns
    promotions: Promotions
    coupons: Coupons
    points: Points
    stored: StoredValue
    tiers: Tiers
    rewards: Rewards
    projections: tuple[Projection, ...]

    def replenish_with(self, policy: Policy, assumptions: Assumptions) -> Replenish:
        """Replenishment under a policy and assumptions of one's own."""
        clock = self.replenish.clock
        return Replenish(self.decisions, clock, policy=policy, assumptions=assumptions)

    def follow(self, batch: UUID) -> None:
        """Bring every projection in line with what the batch touched."""
        for projection in self.projections:
            projection.apply(batch)


def register_kinds(tx: Transaction) -> None:
    """Publish the kinds of decisions: once when an installation is opened."""
    decisions = PostgresDecisions(tx)
    for kind in (DECISION_KIND, TRANSFER_KIND, PUBLISH):
        decisions.register(kind)


def master_keys(settings: Settings) -> MasterKeys:
    """The master keys of an installation."""
    return MasterKeys(settings.persons_key or settings.home / PERSONS_KEY)


def construct(tx: Transaction, settings: Settings) -> Work:
    """Construct the capabilities on one transaction."""
    facts = PostgresFacts(tx, FACT_TYPES)
    ledger = PostgresLedger(tx)
    outbox = PostgresOutbox(tx)
    decisions = PostgresDecisions(tx)
    audit = PostgresAudit(tx)
    places = Places(tx, facts, default_time_zone=settings.time_zone)
    items, lying, tasks = Catalog(tx), Stock(tx, ledger), Tasks(tx)
    buying = Suppliers(tx, outbox, currency=settings.currency)
    serving = Stores(tx, places, default_time_zone=settings.time_zone)
    nodes, bookings = Nodes(serving, lying, tasks), Bookings(tx, serving)
    near = Nearby(nodes, sourcing.Policy.load(settings.delivery))
    members = _members(tx, settings, ledger)
    persons = Persons(tx, audit, master=master_keys(settings))
    recipients = Recipients(tx, persons)
    orders = Orders(
        tx,
        ledger=ledger,
        stock=lying,
        benefits=_benefits(settings, items, members),
        outbox=outbox,
        recipients=recipients,
        currency=settings.currency,
    )
    projections = (places, items, buying, lying, serving)
    registered = partial(Devices, tx, facts, currency=settings.currency)
    return Work(
        facts=facts,
        ledger=ledger,
        decisions=decisions,
        jobs=PostgresJobs(tx),
        outbox=outbox,
        audit=audit,
        access=Access(tx, audit, places),
        commands=Commands(tx),
        persons=persons,
        places=places,
        stores=serving,
        catalog=items,
        stock=lying,
        suppliers=buying,
        replenish=Replenish(decisions, tx.clock),
        tasks=tasks,
        devices=registered(
            stock=lying, tasks=tasks, places=places, audit=audit, projections=projections
        ),
        views=Views(tx),
        orders=orders,
        recipients=recipients,
        nodes=nodes,
        sourcing=near,
        fulfil=Fulfil(tx, orders=orders, stock=lying, tasks=tasks, bookings=bookings, nearby=near),
        bookings=bookings,
        returns=Returns(tx, orders=orders, tasks=tasks, places=places, bookings=bookings),
        dues=Dues(tx),
        **members._asdict(),
        projections=projections,
    )


class _Members(NamedTuple):
    """What may come off a basket, what members have and what earns it."""

    promotions: Promotions
    coupons: Coupons
    points: Points
    stored: StoredValue
    tiers: Tiers
    rewards: Rewards


def _members(tx: Transaction, settings: Settings, ledger: PostgresLedger) -> _Members:
    policy, zone = loyalty.Policy.load(settings.loyalty), settings.time_zone
    promotions = Promotions(tx, ledger, currency=settings.currency)
    keys = Keys(settings.home / COUPON_KEY)
    points = Points(tx, ledger, time_zone=zone, grace_days=policy.grace_days)
    tiers = Tiers(tx, policy=policy, time_zone=zone)
    return _Members(
        promotions,
        Coupons(tx, ledger, promotions=promotions, keys=keys, currency=settings.currency),
        points,
        StoredValue(tx, ledger, settings.currency),
        tiers,
        Rewards(tx, points=points, tiers=tiers, policy=policy, time_zone=zone),
    )


def _benefits(settings: Settings, catalog: Catalog, members: _Members) -> Benefits:
    """What membership and promotions do to orders."""
    return Benefits(
        catalog=catalog,
        policy=loyalty.Policy.load(settings.loyalty),
        time_zone=settings.time_zone,
        **members._asdict(),
    )
