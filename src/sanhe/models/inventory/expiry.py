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
    unsold = unsold_by_lot(line, expires_in_days, quantity, demand=demand)
    return np.bincount(line, weights=unsold, minlength=lines).astype(np.float64)


def unsold_by_lot(line: Ints, expires_in_days: Ints, quantity: Ints, *, demand: Floats) -> Floats:
    """Of each of the K lots of `expiring_unsold` what expires unsold with it, float64 [K].

    Up to lot k there are U_k = max(0, max over j <= k of Q_j - D_j) units lost, so U_k - U_{k-1}
    with the lot itself. Raises ValueError for a negative quantity.

    >>> lots = np.array([0, 0]), np.array([2, 4]), np.array([30, 10])
    >>> unsold_by_lot(*lots, demand=np.array([20.0, 25.0]))
    array([10.,  5.])
    """
    if quantity.size and quantity.min() < 0:
        raise ValueError("a lot can't hold less than nothing")
    order = np.lexsort((expires_in_days, line))
    of_line, held = line[order], np.cumsum(quantity[order])
    first = np.searchsorted(of_line, of_line)
    before = np.where(first > 0, held[first - 1], 0)
    lost = np.maximum(held - before - demand[order], 0.0)
    rank = np.arange(order.size) - first
    for at in range(1, int(rank.max(initial=0)) + 1):
        rows = np.flatnonzero(rank == at)
        lost[rows] = np.maximum(lost[rows], lost[rows - 1])
    earlier = np.where(rank > 0, np.append(0.0, lost[:-1]), 0.0)
    unsold = np.zeros(order.size)
    unsold[order] = lost - earlier
    return unsold
