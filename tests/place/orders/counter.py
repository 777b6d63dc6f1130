"""A shop with an order desk, for tests: two places, a few SKUs, and the books to look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from sanhe.core.audit import PostgresAudit
from sanhe.core.clock import FixedClock
from sanhe.core.decisions import PostgresDecisions
from sanhe.core.facts import Fact
from sanhe.core.persons import MasterKeys, Persons
from sanhe.core.storage import Transaction
from sanhe.core.values import new_id
from sanhe.goods.stock import committed_account, on_hand_account
from sanhe.people.coupons import Coupons, Keys
from sanhe.people.loyalty import Points, Policy, Rewards, StoredValue, Tiers
from sanhe.people.promotions import Promotion, Promotions
from sanhe.place.orders import (
    AtPlace,
    Basket,
    BasketLine,
    Benefits,
    Delivery,
    Orders,
    PaymentNotice,
    Placed,
    Placing,
    Recipients,
    Settled,
)
from sanhe.place.orders.money import owed_account, provider_account, sales_account
from tests.goods.shop import DAY, Shop, counted, fact
from tests.people.promotions.publishing import publish

KEYS = TemporaryDirectory(prefix="sanhe-keys-")
PRICES = {"A": 1_000, "B": 333, "SET": 2_500, "GIFT": 0}


@dataclass
class Members:
    """What members have and may have."""

    promotions: Promotions
    coupons: Coupons
    points: Points
    stored: StoredValue
    tiers: Tiers


@dataclass
class Counter:
    """An order desk on a shop with ten of A and B at S1 and three at S2."""

    shop: Shop
    orders: Orders
    members: Members
    references: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, tx: Transaction) -> Counter:
        shop = Shop.of(tx, in_memory=False)
        shop.record(
            [
                *(described(sku) for sku in ("A", "B", "GIFT")),
                described("SET", components="A:2 B:1"),
                *(priced(sku, cents) for sku, cents in PRICES.items()),
                *(
                    counted(f"{sku}@{place}", units, sku=sku, place=place)
                    for place, units in (("S1", 10), ("S2", 3))
                    for sku in ("A", "B", "GIFT")
                ),
            ]
        )
        promotions = Promotions(tx, shop.ledger)
        points, tiers = Points(tx, shop.ledger), Tiers(tx)
        members = Members(
            promotions,
            Coupons(tx, shop.ledger, promotions=promotions, keys=Keys(Path(KEYS.name) / "keys")),
            points,
            StoredValue(tx, shop.ledger, "CNY"),
            tiers,
        )
        benefits = Benefits(
            catalog=shop.catalog,
            promotions=members.promotions,
            coupons=members.coupons,
            points=points,
            stored=members.stored,
            tiers=tiers,
            rewards=Rewards(tx, points=points, tiers=tiers),
            policy=Policy.load(),
            time_zone="Asia/Shanghai",
        )
        master = MasterKeys(Path(KEYS.name) / "persons")
        orders = Orders(
            tx,
            ledger=shop.ledger,
            stock=shop.stock,
            benefits=benefits,
            outbox=shop.outbox,
            recipients=Recipients(tx, Persons(tx, PostgresAudit(tx), master=master)),
        )
        return cls(shop, orders, members)

    @property
    def clock(self) -> FixedClock:
        clock = self.shop.tx.clock
        assert isinstance(clock, FixedClock)
        return clock

    def place(self, *lines: tuple[str, int], place: str = "S1", channel: str = "web") -> Placed:
        basket = basket_of(*lines, place=place, channel=channel)
        total = self.orders.quote(basket, AtPlace()).total_cents
        return self.orders.place(Placing(basket, total), AtPlace())

    def pay(
        self, order: UUID, *, cents: int | None = None, reference: str = "", currency: str = "CNY"
    ) -> Settled:
        notice = PaymentNotice(
            provider="wechatpay",
            reference=reference or new_id().hex,
            order=order,
            amount_cents=self.orders.get(order).tenders.money_cents if cents is None else cents,
            currency=currency,
            paid_at=self.clock.now(),
        )
        return self.orders.settle(notice)

    def tell(self) -> int:
        """What the flow of telling sales does, without its facts' batch name."""
        sold = self.orders.untold(limit=100)
        self.orders.told(sold)
        self.shop.record(
            [
                fact(
                    "sale.line",
                    one.id,
                    source="sanhe.orders",
                    sku=one.sku,
                    place=one.place,
                    quantity=one.quantity,
                    amount_cents=one.amount_cents,
                    hour=1,
                )
                for one in sold
            ]
        )
        return len(sold)

    def publish(self, promotion: Promotion) -> None:
        """Let a promotion hold, by a decision that somebody approved."""
        publish(self.members.promotions, PostgresDecisions(self.shop.tx), promotion)

    def set_member_price(self, sku: str, cents: int) -> None:
        price = priced(sku, PRICES[sku])
        payload = {**price.payload, "member_cents": cents}
        self.shop.record([replace(price, revision=1, payload=payload)])

    def free(self, sku: str, place: str = "S1") -> int:
        code = on_hand_account(place, sku)
        return self.shop.ledger.balances([code])[code].available

    def committed(self, sku: str, place: str = "S1") -> int:
        code = committed_account(place, sku)
        found = self.shop.ledger.balances([code])
        return found[code].posted if code in found else 0

    def money(self, place: str = "S1") -> Mapping[str, int]:
        codes = {
            "owed": owed_account(place),
            "held": provider_account("wechatpay", place),
            "sales": sales_account(place),
        }
        found = self.shop.ledger.balances(codes.values())
        return {name: found[code].posted if code in found else 0 for name, code in codes.items()}


def basket_of(*lines: tuple[str, int], place: str = "S1", channel: str = "web") -> Basket:
    wanted = tuple(BasketLine(sku, quantity) for sku, quantity in lines)
    return Basket(channel, "CNY", wanted, Delivery("pickup", place))


def described(sku: str, **payload: object) -> Fact:
    given = [("name", f"Item {sku}"), *payload.items()]
    return fact("item.described", f"item {sku}", sku=sku, place=None, payload=given, day=DAY)


def priced(sku: str, cents: int) -> Fact:
    payload = [("tax_included", True), ("tax_rate", 0.13)]
    return fact(
        "price.set",
        f"price {sku}",
        sku=sku,
        place=None,
        amount_cents=cents,
        currency="CNY",
        payload=payload,
        day=DAY,
    )
