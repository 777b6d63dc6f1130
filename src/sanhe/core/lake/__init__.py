"""The lake: columnar tables for analysis, filled from the facts by the bridge.

Parquet files under a manifest that is switched in one step; queries run in an in-memory DuckDB
that sees the named tables and nothing else. `refresh` brings the committed facts of each type
into the table `facts/TYPE`; `current_facts` gives the query of those that hold. `scoped` is the
lake for who may see some places only.
"""

from sanhe.core.lake.bridge import Refreshed, refresh, touched
from sanhe.core.lake.current import FACTS_FOLDER, FactSources, current_facts, write_facts
from sanhe.core.lake.guarded import scoped
from sanhe.core.lake.lookup import rows_of
from sanhe.core.lake.memory import MemoryLake
from sanhe.core.lake.parquet import ParquetLake
from sanhe.core.lake.ports import Lake, LakeTable
from sanhe.core.lake.resident import ResidentLake

__all__ = [
    "FACTS_FOLDER",
    "FactSources",
    "Lake",
    "LakeTable",
    "MemoryLake",
    "ParquetLake",
    "Refreshed",
    "ResidentLake",
    "current_facts",
    "refresh",
    "rows_of",
    "scoped",
    "touched",
    "write_facts",
]
