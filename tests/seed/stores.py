"""A retailer of one city as its own files tell it: three places, how they serve, who delivers."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sanhe.core.places import Point
from sanhe.place.sourcing import Node
from sanhe.wiring import ImportRequest, Sanhe, import_file
from tests.wiring.files import written

NOON = datetime(2026, 6, 1, 4, tzinfo=UTC)  # Monday, 12:00 in Shanghai
HOME = Point(31.2304, 121.4737)


def opened_stores(sanhe: Sanhe, folder: Path) -> None:
    """Import a store 1 km away, a micro-warehouse 3 km away and a warehouse 150 km away."""
    exports = [
        written(
            folder / "places.csv",
            "门店编码,门店名称,类型,纬度,经度",
            [
                ("S1", "一号店", "门店", 31.2394, 121.4737),
                ("M1", "前置仓", "前置仓", 31.2574, 121.4737),
                ("DC", "中心仓", "仓库", 32.5794, 121.4737),
            ],
        ),
        written(
            folder / "stores.csv",
            "门店编码,营业时间,拣货产能,拣货分钟,配送半径,安全库存",
            [
                ("S1", "周一至周日 09:00-21:00", 6, 15, 5, 1),
                ("M1", "07:00-23:00", 30, 10, 6, 0),
                ("DC", "周一至周六 08:00-20:00", 200, 60, "", 0),
            ],
        ),
        written(
            folder / "couriers.csv",
            "门店编码,配送商,起步价,每公里运费,时速,截单时间",
            [
                ("S1", "骑手", 6, 1.5, 15, ""),
                ("M1", "骑手", 6, 1.5, 15, ""),
                ("DC", "快递", 8, 0, 12, "18:00"),
            ],
        ),
    ]
    for path in exports:
        import_file(sanhe, ImportRequest(path), actor="importer")


def nodes(sanhe: Sanhe, stock: dict[str, dict[str, int]], **queues: float) -> list[Node]:
    """The places that serve home, with what can be promised at each and the orders that wait."""
    with sanhe.work(actor="shopper") as work:
        near = [one.store for one in work.stores.near(HOME)]
    return [
        Node(store, stock.get(store.place.id, {}), queues.get(store.place.id, 0.0))
        for store in near
    ]
