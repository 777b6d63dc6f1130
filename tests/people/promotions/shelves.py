"""Made-up baskets and promotions, any that may be published."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import strategies as st

from sanhe.people.promotions import (
    USUAL,
    Asked,
    Bundle,
    BuyGet,
    Coupon,
    FixedPrice,
    FreePostage,
    Gift,
    Goods,
    Item,
    MemberPrice,
    Off,
    Offer,
    Part,
    Percent,
    Promotion,
    Shopper,
    Step,
)

BEGIN, NOON, END = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 6, 1, 12, tzinfo=UTC), datetime(
    2027, 1, 1, tzinfo=UTC
)  # fmt: skip
SKUS = [f"A{number}" for number in range(6)]
CATEGORIES = ["Food", "Food/Dairy", "Food/Dairy/Milk", "Care", ""]
rates = st.integers(1, 10_000)
goods = st.builds(
    Goods,
    skus=st.frozensets(st.sampled_from(SKUS), max_size=2),
    categories=st.frozensets(st.sampled_from(CATEGORIES[:4]), max_size=2),
    without_skus=st.frozensets(st.sampled_from(SKUS), max_size=1),
)


@st.composite
def steps(draw: st.DrawFn) -> tuple[Step, ...]:
    """Steps that rise."""
    froms = sorted(draw(st.sets(st.integers(10, 20_000), min_size=1, max_size=3)))
    offs = sorted(draw(st.sets(st.integers(1, 10), min_size=len(froms), max_size=len(froms))))
    return tuple(Step(*pair) for pair in zip(froms, offs, strict=True))


offers: st.SearchStrategy[Offer] = st.one_of(
    st.builds(Percent, rates, st.sampled_from(["initial", "discounted"])),
    st.builds(Off, steps(), st.integers(1, 3)),
    st.builds(FixedPrice, st.integers(0, 3_000), st.integers(1, 5)),
    st.builds(MemberPrice),
    st.builds(BuyGet, st.integers(1, 3), st.integers(1, 2), rates, st.none() | st.integers(1, 3)),
    st.builds(
        Bundle,
        st.lists(st.builds(Part, goods, st.integers(1, 3)), min_size=2, max_size=3).map(tuple),
        st.integers(0, 9_000),
        st.integers(1, 3),
    ),
    st.builds(Gift, st.sampled_from(SKUS), st.integers(1, 2)),
    st.builds(FreePostage, st.none() | st.integers(1, 900)),
)


@st.composite
def promotions(draw: st.DrawFn, *, most: int = 8) -> list[Promotion]:
    """Promotions with ids of their own; a group stays at one stage."""
    found = []
    for number in range(draw(st.integers(0, most))):
        stage = draw(st.sampled_from(USUAL.stages))
        found.append(
            Promotion(
                id=f"p{number}",
                name=f"promotion {number}",
                offer=draw(offers),
                stage=stage,
                begins_at=BEGIN,
                ends_at=END,
                goods=draw(goods),
                minimum_cents=draw(st.sampled_from([0, 0, 500, 5_000])),
                minimum_pieces=draw(st.sampled_from([0, 0, 3])),
                tiers=draw(st.sampled_from([frozenset(), frozenset({"gold"})])),
                coupon=draw(st.booleans()),
                priority=draw(st.integers(0, 2)),
                group=draw(st.sampled_from(["", "", f"of {stage}"])),
                excludes=frozenset({f"p{number + 1}"}) if draw(st.booleans()) else frozenset(),
                cap_cents=draw(st.none() | st.integers(1, 500)),
                budget_cents=draw(st.none() | st.integers(1, 5_000)),
            )
        )
    return found


@st.composite
def items(draw: st.DrawFn) -> tuple[Item, ...]:
    """Lines, some of them sold by weight."""
    found = []
    for line in range(draw(st.integers(0, 6))):
        price = draw(st.integers(0, 5_000))
        found.append(
            Item(
                line=line,
                sku=draw(st.sampled_from(SKUS)),
                units=draw(st.integers(1, 12)),
                price_cents=price,
                per_units=draw(st.sampled_from([1, 1, 1, 500])),
                category=draw(st.sampled_from(CATEGORIES)),
                member_price_cents=draw(st.none() | st.integers(0, price)),
            )
        )
    return tuple(found)


@st.composite
def asked(draw: st.DrawFn) -> Asked:
    """A basket with coupons of some promotions."""
    coupons = tuple(
        Coupon(f"c{number}", f"p{draw(st.integers(0, 8))}", BEGIN, END)
        for number in range(draw(st.integers(0, 3)))
    )
    tier = draw(st.sampled_from(["", "silver", "gold"]))
    return Asked(draw(items()), "till", "S1", NOON, Shopper(tier), coupons)
