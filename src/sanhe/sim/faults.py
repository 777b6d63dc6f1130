"""Faults of delivery: the same facts shuffled, repeated, late, revised and cut up anew.

Whatever the order and the repeats, the canonical state in the end must be the same.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from sanhe.sim.columns import together


def with_revisions(batches: Sequence[pa.Table], *, seed: int, share: float = 0.1) -> list[pa.Table]:
    """The batches with a share of the quantities told wrongly first and corrected later.

    The wrong fact keeps its revision; the right one follows in the next batch, one revision on.
    """
    rng = np.random.default_rng(seed)
    told: list[pa.Table] = []
    waiting: list[pa.Table] = []
    for batch in batches:
        hit = (rng.random(batch.num_rows) < share) & _has_quantity(batch)
        right = batch.filter(pa.array(hit))
        wrong = _set(
            right, "quantity", np.maximum(_numbers(right, "quantity") + rng.integers(1, 4), 1)
        )
        later = _set(right, "revision", _numbers(right, "revision") + 1)
        told.append(together([batch.filter(pa.array(~hit)), wrong, *waiting]))
        waiting = [later]
    return [*told, together(waiting)]


def disturbed(batches: Sequence[pa.Table], *, seed: int, batch_rows: int = 500) -> list[pa.Table]:
    """The same facts in any order, in other batches, a third of them told twice.

    The set of facts stays the same; which comes when, and how often, does not.
    """
    rng = np.random.default_rng(seed)
    facts = together(list(batches))
    again = facts.filter(pa.array(rng.random(facts.num_rows) < 1 / 3))
    mixed = together([facts, again])
    mixed = mixed.take(pa.array(rng.permutation(mixed.num_rows)))
    cuts = range(0, max(mixed.num_rows, 1), batch_rows)
    # One batch never holds the same fact twice: files don't, and a door may refuse it.
    return [_once(mixed.slice(start, batch_rows)) for start in cuts]


def late(batches: Sequence[pa.Table], *, seed: int, share: float = 0.2) -> list[pa.Table]:
    """A share of each batch held back and delivered two batches later, or at the end."""
    rng = np.random.default_rng(seed)
    delivered: list[list[pa.Table]] = [[] for _ in range(len(batches) + 2)]
    for number, batch in enumerate(batches):
        held = rng.random(batch.num_rows) < share
        delivered[number].append(batch.filter(pa.array(~held)))
        delivered[number + 2].append(batch.filter(pa.array(held)))
    return [together(parts) for parts in delivered]


def forged(batches: Sequence[pa.Table], *, seed: int) -> list[pa.Table]:
    """The batches with one quantity changed: the negative control, its end state must differ."""
    rng = np.random.default_rng(seed)
    numbers = [n for n, batch in enumerate(batches) if _has_quantity(batch).any()]
    chosen = int(rng.choice(numbers))
    batch = batches[chosen]
    row = int(rng.choice(np.flatnonzero(_has_quantity(batch))))
    quantity = _numbers(batch, "quantity")
    quantity[row] += 1
    changed = list(batches)
    changed[chosen] = _set(batch, "quantity", quantity)
    return changed


def _once(batch: pa.Table) -> pa.Table:
    seen: set[tuple[str, int]] = set()
    keep = []
    keys = zip(batch["external_id"].to_pylist(), batch["revision"].to_pylist(), strict=True)
    for key in keys:
        keep.append(key not in seen)
        seen.add(key)
    return batch.filter(pa.array(keep, pa.bool_()))


def _has_quantity(batch: pa.Table) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    return np.asarray(batch["quantity"].is_valid().to_numpy(), dtype=np.bool_)


def _numbers(batch: pa.Table, name: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array(batch[name].fill_null(0).to_numpy(), dtype=np.int64)


def _set(
    batch: pa.Table, name: str, values: np.ndarray[tuple[int, ...], np.dtype[np.int64]]
) -> pa.Table:
    at = batch.schema.get_field_index(name)
    kind = batch.schema.field(name).type
    missing = ~batch[name].is_valid().to_numpy()
    return batch.set_column(at, batch.schema.field(name), pa.array(values, kind, mask=missing))
