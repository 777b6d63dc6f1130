"""What of the stock expires unsold, from lots by expiry and expected demand."""

from __future__ import annotations

import numpy as np

from sanhe.models.inventory.demand import Floats, Ints


def expiring_unsold(
    line: Ints, expires_in_days: Ints, quantity: Ints, *, demand: Floats, lines: int
) -> Floats:
    """Units of each line that expire before they are sold, float64 [lines], >= 0.

    K lots in any order, arrays [K]: `line` 0..lines-1, the order in which they expire
    (`expires_in_days`), what is left of each (`quantity`), and expected demand from now on until
    it expires (`demand`). First expired, first out:

        U = max(0, max over k of Q_k - D_k)

    with Q_k what the lots up to k hold together and D_k the demand until lot k expires. It solves
    S_k = min(S_{k-1} + q_k, D_k), S_k being what is sold of the lots up to k; U = Q_K - S_K.
    This is the estimated outdating of the EWA policy (Broekmeulen & van Donselaar, A heuristic
    to manage perishable inventory with batch ordering, positive lead-times, and time-varying
    demand, Computers & Operations Research 36, 2009) where the oldest are sold first.
    Raises ValueError for a negative quantity.

    >>> lots = np.array([0, 0]), np.array([2, 4]), np.array([30, 10])
    >>> expiring_unsold(*lots, demand=np.array([20.0, 40.0]), lines=2)
    array([10.,  0.])
    """
    if quantity.size and quantity.min() < 0:
        raise ValueError("a lot can't hold less than nothing")
    order = np.lexsort((expires_in_days, line))
    of_line, held = line[order], np.cumsum(quantity[order])
    first = np.searchsorted(of_line, of_line)
    before = np.where(first > 0, held[first - 1], 0)
    unsold = np.zeros(lines)
    np.maximum.at(unsold, of_line, held - before - demand[order])
    return unsold
