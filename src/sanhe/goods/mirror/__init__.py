"""Mirrors: the current facts of a type as typed rows of a table, kept in line batch by batch.

The projections of goods stand on them. A mirror holds one row for each current fact of its type,
keyed as the fact is by (external id, source); which of several facts about one thing counts is
decided when reading. So any order, repetition or split of batches ends in the same rows.
"""

from sanhe.goods.mirror.store import (
    CURRENT_OF_BATCH,
    Mirror,
    follow,
    lock,
    types_of,
)

__all__ = ["CURRENT_OF_BATCH", "Mirror", "follow", "lock", "types_of"]
