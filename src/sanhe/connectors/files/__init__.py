"""Files in and out (文件导入与订单文件): the door by which the retailer's systems come in.

In: CSV, Excel or Parquet of tills, ERP or warehouse, and a mapping from its columns to facts.
Decides: which rows can be used, and why the others can't.
Out: tables of facts in `core.facts.FACT_SCHEMA`, a rejects file, purchase order files.
"""

from sanhe.connectors.files.check import Known
from sanhe.connectors.files.mapping import (
    Mapping,
    ReadOptions,
    find_mappings,
    load_mapping,
    shipped,
)
from sanhe.connectors.files.orders import OrderFiles, write_order
from sanhe.connectors.files.plan import (
    ImportPlan,
    RejectReason,
    Summary,
    TypeSummary,
    plan_import,
)
from sanhe.connectors.files.rejects import Reject, read_rejects, rejects_name, safe_cell

__all__ = [
    "ImportPlan",
    "Known",
    "Mapping",
    "OrderFiles",
    "ReadOptions",
    "Reject",
    "RejectReason",
    "Summary",
    "TypeSummary",
    "find_mappings",
    "load_mapping",
    "plan_import",
    "read_rejects",
    "rejects_name",
    "safe_cell",
    "shipped",
    "write_order",
]
