"""The distribution: recovers a known dispersion, covers what it promises, sums included."""

import numpy as np
import pytest
from scipy import stats

from sanhe.models.forecast import Dispersion, fit_dispersion
from sanhe.models.forecast.distribution import band_mass


def test_a_known_negative_binomial_is_recovered() -> None:
    rng = np.random.default_rng(5)
    mean = np.exp(rng.uniform(np.log(0.3), np.log(30), (4000, 7)))
    size = np.exp(0.4 + 0.5 * np.log(mean))
    actual = rng.negative_binomial(size, size / (size + mean)).astype(np.float32)
    clean = np.ones(mean.shape, bool)
    fitted = fit_dispersion(mean.astype(np.float32), actual, clean, kind="counts").of(1)
    assert fitted.b == pytest.approx(0.5, abs=0.1)
    assert fitted.size(np.array([5.0]))[0] == pytest.approx(np.exp(0.4) * 5**0.5, rel=0.12)


def test_days_that_go_together_widen_the_band_of_the_sum() -> None:
    rng = np.random.default_rng(6)
    mean = np.full((5000, 6), 4.0, np.float32)
    shared = rng.gamma(4, 1 / 4, (5000, 1))
    actual = rng.poisson(mean * shared).astype(np.float32)
    clean = np.ones(mean.shape, bool)
    fitted = fit_dispersion(mean, actual, clean, kind="counts", sums_days=(1, 6))
    high = fitted.sum_quantile(np.array([24.0]), 0.95, 6)[0]
    independent = 24 + 1.645 * np.sqrt(6 * fitted.of(1).variance(np.array([4.0]))[0])
    assert high > independent * 1.1
    assert (actual.sum(1) <= high).mean() == pytest.approx(0.95, abs=0.02)


@pytest.mark.parametrize("kind", ["counts", "quantities"])
def test_the_band_holds_ninety_per_cent(kind: str) -> None:
    rng = np.random.default_rng(7)
    mean = np.exp(rng.uniform(-1, 3, (3000, 7)))
    actual = rng.gamma(2.0, mean / 2.0)
    if kind == "counts":
        actual = rng.poisson(actual)
    made = fit_dispersion(
        mean.astype(np.float32), actual.astype(np.float32), np.ones(mean.shape, bool), kind=kind
    ).of(1)  # type: ignore[arg-type]
    mass = band_mass(made, mean.ravel(), actual.ravel().astype(np.float64))
    assert mass == pytest.approx(0.9, abs=0.005)


def test_quantile_and_cdf_agree_with_scipy() -> None:
    made = Dispersion("counts", a=0.3, b=0.4)
    mean = np.array([0.5, 4.0, 60.0])
    k = made.size(mean)
    want = stats.nbinom.ppf(0.95, k, k / (k + mean))
    assert made.quantile(mean, 0.95).tolist() == want.tolist()
    assert made.cdf(mean, want) == pytest.approx(stats.nbinom.cdf(want, k, k / (k + mean)))


def test_no_uncensored_day_is_said_plainly() -> None:
    mean = np.ones((2, 3), np.float32)
    with pytest.raises(ValueError, match="no uncensored day"):
        fit_dispersion(mean, mean, np.zeros((2, 3), bool), kind="counts")
