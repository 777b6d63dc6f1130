"""Labels such as "AXH1" from the places of their letters, and back."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Final

import numpy as np

from sanhe.goods.health.rules import PATTERNS, Before
from sanhe.goods.replenish import LETTERS
from sanhe.models.inventory import Ints

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

LABELS: Final = tuple("".join(letters) for letters in product(*LETTERS))
"""Every label, in the order of its letters."""

_SIZES = tuple(map(len, LETTERS))


def labels(value: Ints, regularity: Ints, *, margin: Ints, age: Ints) -> pa.Array:
    """The labels of N lines from the places of their letters."""
    places = np.ravel_multi_index((value, regularity, margin, age), _SIZES)
    return letters(LABELS, places)


def letters(names: Sequence[str], places: Ints) -> pa.Array:
    """The names at these places, as text."""
    import pyarrow as pa

    return pa.array(names, pa.string()).take(pa.array(places))


def before_of(label: pa.ChunkedArray, pattern: pa.ChunkedArray) -> Before:
    """The classes that labels and patterns name; null = none."""
    whole = _places(label, LABELS)
    known = whole >= 0
    value, _, margin, age = (
        np.where(known, place, -1) for place in np.unravel_index(np.maximum(whole, 0), _SIZES)
    )
    return Before(value=value, pattern=_places(pattern, PATTERNS), margin=margin, age=age)


def _places(names: pa.ChunkedArray, listed: Sequence[str]) -> Ints:
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pc.index_in(names, pa.array(listed, pa.string()), skip_nulls=True)
    places: Ints = found.fill_null(-1).to_numpy().astype(np.int64)
    return places
