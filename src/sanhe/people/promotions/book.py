"""The promotions of a time, laid out so that a basket finds its own quickly."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sanhe.people.promotions.rules import Goods, Item, Promotion, Stacking


class Book:
    """Promotions in the order in which they are worked out: by stage, priority, then id.

    A basket's line is looked up by its SKU, brand and the steps of its category, so that
    promotions on other goods cost nothing. Built once, read by many threads.
    """

    def __init__(self, promotions: Iterable[Promotion], stacking: Stacking) -> None:
        stages = {stage: rank for rank, stage in enumerate(stacking.stages)}
        self.promotions: Sequence[Promotion] = sorted(
            promotions, key=lambda one: (stages[one.stage], -one.priority, one.id)
        )
        self.stacking = stacking
        self.stage_bit = {stage: 1 << rank for stage, rank in stages.items()}
        self.not_with = {
            stage: sum(self.stage_bit[one] for one in stages if not stacking.allows(stage, one))
            for stage in stages
        }
        self.rank = {one.id: rank for rank, one in enumerate(self.promotions)}
        self._everything: list[int] = []
        self._by_sku: dict[str, list[int]] = {}
        self._by_brand: dict[str, list[int]] = {}
        self._by_category: dict[str, list[int]] = {}
        for rank, promotion in enumerate(self.promotions):
            self._add(rank, promotion.goods)

    def _add(self, rank: int, goods: Goods) -> None:
        if goods.everything:
            self._everything.append(rank)
        for sku in goods.skus:
            self._by_sku.setdefault(sku, []).append(rank)
        for brand in goods.brands:
            self._by_brand.setdefault(brand, []).append(rank)
        for category in goods.categories:
            self._by_category.setdefault(category, []).append(rank)

    def lines_by_rank(self, items: Sequence[Item]) -> dict[int, list[int]]:
        """For each promotion that has goods in a basket the positions of these goods."""
        found: dict[int, list[int]] = {rank: [] for rank in self._everything}
        for at, item in enumerate(items):
            steps = steps_of(item.category)
            ranks = {*self._everything, *self._by_sku.get(item.sku, ())}
            ranks.update(self._by_brand.get(item.brand, ()))
            for step in steps:
                ranks.update(self._by_category.get(step, ()))
            for rank in ranks:
                if not _left_out(self.promotions[rank].goods, item.sku, steps):
                    found.setdefault(rank, []).append(at)
        return found


def steps_of(category: str) -> list[str]:
    """A category and those above it: "Food/Dairy" is "Food", "Food/Dairy".

    >>> steps_of("Food/Dairy/Milk")
    ['Food', 'Food/Dairy', 'Food/Dairy/Milk']
    """
    parts = category.split("/") if category else []
    return ["/".join(parts[: at + 1]) for at in range(len(parts))]


def fits(goods: Goods, item: Item) -> bool:
    """Whether a line is among these goods."""
    steps = steps_of(item.category)
    named = item.sku in goods.skus or item.brand in goods.brands
    among = goods.everything or named or not goods.categories.isdisjoint(steps)
    return among and not _left_out(goods, item.sku, steps)


def _left_out(goods: Goods, sku: str, steps: Sequence[str]) -> bool:
    return sku in goods.without_skus or not goods.without_categories.isdisjoint(steps)
