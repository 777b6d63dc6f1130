"""Forecast reconciliation: coherent at every node, and the projection of the paper."""

from __future__ import annotations

import numpy as np
import pytest

from sanhe.models.forecast import Level, top_down, weighted

LINES, WEEKS = 40, 5


def forecasts(seed: int = 5) -> tuple[np.ndarray, np.ndarray, list[Level]]:
    """40 lines in 6 categories and 4 regions and one whole; groups say something else."""
    rng = np.random.default_rng(seed)
    lines = rng.gamma(2.0, 20.0, (LINES, WEEKS))
    levels = []
    for groups in (6, 4, 1):
        code = np.concatenate([np.arange(groups), rng.integers(0, groups, LINES - groups)])
        sums = np.zeros((groups, WEEKS))
        np.add.at(sums, code, lines)
        told = sums * rng.uniform(0.8, 1.3, sums.shape)
        levels.append(Level(code.astype(np.int64), told, rng.uniform(50, 900, groups)))
    return lines, rng.uniform(1, 60, LINES), levels


def by_the_paper(lines: np.ndarray, variance: np.ndarray, levels: list[Level]) -> np.ndarray:
    """S (S' W^-1 S)^-1 S' W^-1 y, eq. 10 with a diagonal W, written out."""
    rows = []
    for level in levels:
        member = np.zeros((len(level.forecast), len(lines)))
        member[level.group, np.arange(len(lines))] = 1
        rows.append(member)
    s = np.vstack([*rows, np.eye(len(lines))])
    y = np.vstack([*(level.forecast for level in levels), lines])
    w = 1 / np.concatenate([*(level.variance for level in levels), variance])
    inner = np.linalg.solve(s.T @ (w[:, None] * s), s.T @ (w[:, None] * y))
    return np.asarray(inner)


def test_weighted_is_the_projection_of_mint_with_a_diagonal() -> None:
    lines, variance, levels = forecasts()
    made = weighted(lines, variance, levels)
    expected = by_the_paper(lines, variance, levels)
    assert (expected > 0).all(), "the example must not need the clip"
    np.testing.assert_allclose(made, expected, rtol=1e-8)


def test_every_node_is_the_sum_of_its_lines() -> None:
    lines, variance, levels = forecasts()
    for made in (weighted(lines, variance, levels), top_down(lines, levels[0])):
        whole = levels[2].sums(made)
        for level in levels:
            np.testing.assert_allclose(level.sums(made).sum(0), whole[0], atol=1e-6)
    np.testing.assert_allclose(
        levels[0].sums(top_down(lines, levels[0])), levels[0].forecast, atol=1e-6
    )
    # Negative control: what each level said alone does not agree.
    assert np.abs(levels[0].forecast.sum(0) - levels[2].forecast[0]).max() > 1


def test_the_surer_side_wins() -> None:
    lines, variance, levels = forecasts()
    level = levels[0]
    sure = Level(level.group, level.forecast, np.full(6, 1e-9))
    moved = sure.sums(weighted(lines, lines.min(1), [sure]))
    np.testing.assert_allclose(moved, level.forecast, rtol=1e-6)
    np.testing.assert_allclose(weighted(lines, variance * 1e-12, levels), lines, rtol=1e-6)


def test_who_was_not_forecast_or_has_no_variance_has_no_say() -> None:
    lines, variance, levels = forecasts()
    level = levels[0]
    told = level.forecast.copy()
    told[2, 1] = np.nan
    unknown = level.variance.copy()
    unknown[3] = np.inf
    quiet = Level(level.group, told, unknown)
    assert quiet.heard.tolist() == [0, 1, 4, 5]
    made = weighted(lines, variance, [quiet])
    aside = np.isin(level.group, [2, 3])
    np.testing.assert_array_equal(made[aside], lines[aside])
    assert np.abs(made[~aside] - lines[~aside]).max() > 0.1
    nobody = Level(level.group, told, np.full(6, np.inf))
    np.testing.assert_array_equal(weighted(lines, variance, [nobody]), lines)
    shared = top_down(lines, quiet)
    mine = level.group == 2
    np.testing.assert_allclose(shared[mine, 1], lines[mine, 1])


def test_a_line_never_falls_below_nothing() -> None:
    lines = np.array([[1.0], [50.0]])
    level = Level(np.zeros(2, np.int64), np.array([[5.0]]), np.array([1e-6]))
    made = weighted(lines, np.array([100.0, 1.0]), [level])
    assert made.min() == 0.0


def test_lines_that_say_nothing_share_evenly() -> None:
    level = Level(np.array([0, 0, 1], np.int64), np.array([[6.0], [4.0]]), np.ones(2))
    np.testing.assert_allclose(
        top_down(np.array([[0.0], [0.0], [2.0]]), level), [[3.0], [3.0], [4.0]]
    )


@pytest.mark.parametrize(
    ("group", "variance", "message"),
    [([0, 2], [1.0, 1.0], "0..1"), ([0, 1], [1.0], "variance must be"), ([0, 1], [1, -1], "neg")],
)
def test_levels_that_do_not_fit_are_refused(
    group: list[int], variance: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        Level(np.array(group, np.int64), np.ones((2, 3)), np.array(variance))
