"""How long a basket takes to price among live promotions, and how that grows.

The promotions are of all kinds: half on an SKU or brand, a quarter on a category, a quarter on
everything; a fifth need a coupon, of which the basket shows three. One basket has 50 lines of
10,000 SKUs.

    python -m bench.promotions [--times 400]

Figures: p50 and p99 in ms of 50 lines × 500 promotions, and of other sizes one at a time; as ratios
to it within the run; `applied_mean` and `refused_mean` of a basket.
"""

import argparse
import os
import random
import time
from datetime import UTC, datetime

import numpy as np

from bench.results_file import Figure, write_results
from sanhe.people.promotions import (
    USUAL,
    Asked,
    Book,
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
    priced,
)

BEGIN, NOON, END = (datetime(2026, *day, tzinfo=UTC) for day in ((1, 1), (6, 1), (12, 31)))
SKUS, BRANDS, CATEGORIES = 10_000, 200, 60
LINES, PROMOTIONS = 50, 500
OTHERS = {"lines": (1, 10, 100, 200), "promotions": (50, 1_000, 2_000, 5_000)}
PLACED = {Percent: "item", BuyGet: "item", FixedPrice: "price", MemberPrice: "price"}


def offer_of(dice: random.Random, goods: Goods) -> Offer:
    """Any offer."""
    return dice.choice(
        [
            Percent(dice.randrange(300, 5_000)),
            Percent(dice.randrange(300, 3_000), of="initial"),
            Off((Step(5_000, 300), Step(10_000, 1_000), Step(30_000, 4_000))),
            FixedPrice(dice.randrange(300, 900)),
            MemberPrice(),
            BuyGet(1, 1, 5_000),
            BuyGet(2, 1),
            Bundle((Part(goods, 2), Part(Goods(), 1)), dice.randrange(2_000, 9_000)),
            Gift("A1", 1),
            FreePostage(800),
        ]
    )


def promotions(count: int, dice: random.Random) -> list[Promotion]:
    """Promotions of all kinds."""
    found = []
    for number in range(count):
        goods = dice.choice(
            [
                Goods(skus=frozenset(f"A{dice.randrange(SKUS)}" for _ in range(40))),
                Goods(brands=frozenset({f"B{dice.randrange(BRANDS)}"})),
                Goods(
                    categories=frozenset({f"D{dice.randrange(6)}/C{dice.randrange(CATEGORIES)}"})
                ),
                Goods(),
            ]
        )
        offer = offer_of(dice, goods)
        coupon = dice.random() < 0.2
        stage = "coupon" if coupon else PLACED.get(type(offer), dice.choice(["basket", "bundle"]))
        found.append(
            Promotion(
                f"p{number}", f"promotion {number}", offer, stage, BEGIN, END, goods,
                minimum_cents=dice.choice([0, 2_000, 20_000]), coupon=coupon, priority=number,
                tiers=dice.choice([frozenset(), frozenset({"gold"})]),
                group=dice.choice(["", "", f"{stage} {number % 10}"]),
            )
        )  # fmt: skip
    return found


def basket(lines: int, book: Book, dice: random.Random) -> Asked:
    """A basket with three coupons."""
    items = []
    for line in range(lines):
        sku = dice.randrange(SKUS)
        price = dice.randrange(300, 9_000)
        items.append(
            Item(
                line, f"A{sku}", dice.randrange(1, 6), price,
                category=f"D{sku % 6}/C{sku % CATEGORIES}", brand=f"B{sku % BRANDS}",
                member_price_cents=price * 9 // 10 if sku % 3 == 0 else None,
            )
        )  # fmt: skip
    with_coupon = [one.id for one in book.promotions if one.coupon]
    coupons = tuple(
        Coupon(f"c{number}", name, BEGIN, END)
        for number, name in enumerate(dice.sample(with_coupon, min(3, len(with_coupon))))
    )
    return Asked(tuple(items), "till", "S1", NOON, Shopper("gold"), coupons)


def timed(lines: int, count: int, times: int) -> tuple[np.ndarray, float, float]:
    """Milliseconds of each of so many baskets; promotions applied and refused of one."""
    dice = random.Random(f"{lines} {count}")
    book = Book(promotions(count, dice), USUAL)
    took, applied, refused = [], 0, 0
    for _ in range(times):
        asked = basket(lines, book, dice)
        began = time.perf_counter()
        found = priced(asked, book)
        took.append(1000 * (time.perf_counter() - began))
        applied += len(found.applied)
        refused += len(found.refused)
    return np.array(took), applied / times, refused / times


def main() -> None:
    """Measure and write bench/results/promotions.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=400)
    times = parser.parse_args().times
    took, applied, refused = timed(LINES, PROMOTIONS, times)
    median = float(np.median(took))
    figures: dict[str, Figure] = {
        "p50_ms_50_lines_500_promotions": round(median, 2),
        "p99_ms_50_lines_500_promotions": round(float(np.percentile(took, 99)), 2),
        "applied_mean": round(applied, 1),
        "refused_mean": round(refused, 1),
    }
    for what, sizes in OTHERS.items():
        growth = {}
        for size in sizes:
            lines, count = (size, PROMOTIONS) if what == "lines" else (LINES, size)
            other, _, _ = timed(lines, count, times // 4)
            growth[str(size)] = round(float(np.median(other)) / median, 2)
        figures[f"median_ratio_by_{what}"] = growth
    figures["load"] = round(os.getloadavg()[0], 1)
    for name, value in figures.items():
        print(f"{name}: {value}")
    print(f"written to {write_results('promotions', figures)}")


if __name__ == "__main__":
    main()
