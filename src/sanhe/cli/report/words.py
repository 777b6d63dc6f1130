"""The words of the report in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

TERM_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "demand_over_cover": ("demand over cover", "覆盖期需求"),
    "safety_stock": ("safety stock", "安全库存"),
    "presentation_top_up": ("shelf minimum", "陈列量补足"),
    "on_hand": ("on hand", "现有库存"),
    "expiring": ("expires unsold", "临期售不完"),
    "on_order": ("on order", "在途订单"),
    "reserved": ("reserved", "已预留"),
    "moq_top_up": ("minimum order", "起订量补足"),
    "case_rounding": ("full cases", "整箱取整"),
    "shelf_life_cut": ("shelf life", "保质期削减"),
    "capacity_cut": ("budget, trucks, pallets", "预算、车辆、托盘削减"),
    "no_order_needed": ("no order needed", "无需订货"),
    "not_orderable": ("can't be ordered today", "今日不可订"),
    "minimum_added": ("order minimum", "凑起订额提前订货"),
}

METHOD_WORDS: Final[Mapping[str, str]] = {
    "champion": "champion 冠军模型",
    "gbm": "LightGBM",
    "same_weekday_mean": "same-weekday mean 同星期均值",
    "seasonal_naive": "seasonal naive 季节朴素",
    "sba": "SBA",
    "tsb": "TSB",
}
