"""What a series should sell by what it is like: place, SKU, category."""

import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.models.forecast.likeness import (
    between_unknown,
    fit_likeness,
    left_out,
    partitions,
    pulled,
)
from sanhe.models.forecast.panel import F64, Bool, Panel

PLACES = ("place",)


def grid(places: int, skus: int) -> Panel:
    """A panel of every SKU at every place; four SKUs make a category."""
    place, sku = (part.ravel() for part in np.divmod(np.arange(places * skus), skus))
    shape = (places * skus, 2)
    return Panel(
        sales=np.zeros(shape, np.float32),
        in_stock=np.ones(shape, np.float32),
        opened_empty=np.zeros(shape, bool),
        static=np.stack([place, sku // 4, sku], axis=1).astype(np.int32),
        static_names=("place", "category_1", "sku"),
        known=np.zeros((shape[0], 3, 0), np.float32),
        known_names=(),
        first_day=datetime.date(2024, 1, 1),
        horizon_days=1,
    )


def levels(panel: Panel, *, seed: int = 1, noise: float = 0.0) -> F64:
    """Size of the place x size of the SKU, with noise."""
    rng = np.random.default_rng(seed)
    place, sku = panel.static[:, 0], panel.static[:, 2]
    size = np.exp(rng.normal(0, 0.6, int(place.max()) + 1))
    sells = np.exp(rng.normal(1, 0.8, int(sku.max()) + 1))
    return size[place] * sells[sku] * np.exp(rng.normal(0, noise, panel.series))


def all_but(panel: Panel, row: int) -> Bool:
    return np.asarray(np.arange(panel.series) != row)


def test_a_sku_sold_elsewhere_is_scaled_by_the_place() -> None:
    panel = grid(12, 12)
    level = levels(panel)
    groups = partitions(panel, PLACES)
    told = np.array(
        [fit_likeness(level, all_but(panel, row), groups).level[row] for row in range(40)]
    )
    # The SKU alone says much less.
    codes = panel.static[:, 2]
    sku = np.array([level[codes == codes[row]].mean() for row in range(40)])
    error, alone = (np.abs(one - level[:40]).sum() / level[:40].sum() for one in (told, sku))
    assert error < 0.08 and error < 0.5 * alone


def test_a_wrong_likeness_says_no_more_than_the_mean() -> None:
    panel = grid(12, 12)
    level = levels(panel)
    rng = np.random.default_rng(2)
    wrong = dataclasses.replace(panel, static=rng.permutation(panel.static))
    errors = {}
    for name, one in (("right", panel), ("wrong", wrong)):
        told = left_out(level, np.ones(144, bool), partitions(one, PLACES), unit=np.arange(144))
        errors[name] = np.abs(told - level).sum()
    mean = np.abs(level.mean() - level).sum()
    assert errors["right"] < 0.2 * mean
    assert errors["wrong"] > 0.9 * mean


def test_a_sku_nobody_sells_has_the_level_of_its_category_and_place() -> None:
    panel = grid(10, 12)
    place, category, sku = panel.static.T
    level = (1.0 + place) * np.array([1.0, 4.0, 16.0])[category]
    like = fit_likeness(level, sku != 5, partitions(panel, PLACES))
    new = sku == 5
    assert like.level[new] == pytest.approx(level[new], rel=0.15)
    assert not like.known["sku"][new].any() and like.known["sku"][~new].all()
    assert like.known["category_1"].all()


def test_what_is_left_out_does_not_know_itself() -> None:
    panel = grid(8, 8)
    level = levels(panel, noise=0.3)
    groups, everyone = partitions(panel, PLACES), np.ones(64, bool)
    sku = panel.static[:, 2].astype(np.int64)
    apart = left_out(level, everyone, groups, unit=sku)
    changed = np.where(sku == 3, level * 50, level)
    again = left_out(changed, everyone, groups, unit=sku)
    assert again[sku == 3] == pytest.approx(apart[sku == 3])
    # The control: a likeness that learned from them follows.
    both = [fit_likeness(one, everyone, groups).level for one in (level, changed)]
    inside = [one[sku == 3].mean() for one in both]
    assert inside[1] > 10 * inside[0]


def test_unknown_skus_differ_more_than_what_is_left_within_a_fit() -> None:
    panel = grid(10, 40)
    rng = np.random.default_rng(4)
    sku = panel.static[:, 2]
    level = rng.gamma(2.0, 0.5, 40)[sku] * np.exp(rng.normal(0, 0.1, panel.series))
    groups, everyone = partitions(panel, PLACES), np.ones(panel.series, bool)
    one = next(group for group in groups if group.name == "sku")
    within = fit_likeness(level, everyone, groups).between["sku"]
    unknown = between_unknown(level, everyone, groups, one=one)
    assert within < unknown
    assert 0.4 < unknown < 1.5, "what they were drawn with, 0.5, beside what their likeness errs"


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.floats(0, 1e4, allow_subnormal=False), min_size=48, max_size=48),
    st.integers(0, 2**48 - 1),
)
def test_levels_are_finite_and_never_negative(values: list[float], mask: int) -> None:
    panel = grid(6, 8)
    learn = np.array([mask >> bit & 1 for bit in range(48)], bool)
    groups = partitions(panel, PLACES)
    if not learn.any():
        with pytest.raises(ValueError, match="no series to learn from"):
            fit_likeness(np.array(values), learn, groups)
        return
    like = fit_likeness(np.array(values), learn, groups)
    assert np.isfinite(like.level).all() and (like.level >= 0).all()
    assert np.isfinite(list(like.between.values())).all() and np.isfinite(like.within)


def test_a_ratio_nobody_vouches_for_is_pulled_to_one() -> None:
    ratio = np.array([0.2, 1.0, 5.0])
    assert pulled(ratio, 0.0, np.full(3, 0.5)) == pytest.approx(np.ones(3))
    assert pulled(ratio, 0.5, np.zeros(3)) == pytest.approx(ratio)
    half = pulled(ratio, 0.5, np.full(3, 0.5))
    assert half == pytest.approx((1 + ratio) / 2)


def test_every_column_places_a_series_and_repeats_are_left_out() -> None:
    panel = grid(3, 8)
    twice = dataclasses.replace(
        panel,
        static=np.concatenate([panel.static, panel.static[:, :1]], axis=1),
        static_names=(*panel.static_names, "city"),
        traits=(panel.static[:, 2:] % 2).astype(np.int32),
        trait_names=("brand",),
    )
    names = {one.name for one in partitions(twice, ("place", "city"))}
    assert {"place", "category_1", "sku", "brand"} <= names
    assert "city" not in names, "it says what place says"
