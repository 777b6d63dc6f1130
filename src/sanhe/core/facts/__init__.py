"""Facts: what happened or was announced, taken in any order, any number of times.

Append-only and unique by (external id, source, revision). The canonical state is the highest
revision per (type, source, external id) that is not retracted, so that every order of the same
deliveries ends in the same state, shown by equal digests. A batch is undone by retractions.
Types are published by their owners; facts that don't fit their type are refused, by row.
"""

from sanhe.core.facts.memory import MemoryFacts
from sanhe.core.facts.mirror import CURRENT_OF_BATCH, Mirror, follow, lock, types_of
from sanhe.core.facts.ports import (
    Appended,
    Batch,
    Fact,
    FactField,
    Facts,
    FactType,
    Projection,
)
from sanhe.core.facts.schema import FACT_SCHEMA, facts_table, payload_text, table_facts
from sanhe.core.facts.store import PostgresFacts
from sanhe.core.facts.types import FactTypes

__all__ = [
    "CURRENT_OF_BATCH",
    "FACT_SCHEMA",
    "Appended",
    "Batch",
    "Fact",
    "FactField",
    "FactType",
    "FactTypes",
    "Facts",
    "MemoryFacts",
    "Mirror",
    "PostgresFacts",
    "Projection",
    "facts_table",
    "follow",
    "lock",
    "payload_text",
    "table_facts",
    "types_of",
]
