"""S25 inventory health, from outside: classes with money, dead stock found, a class steers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sanhe.core.settings import Settings
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import ImportRequest, health, import_file
from tests.wiring.files import files, written
from tests.wiring.installation import Terminal, installed, opened

DECOR = [("VASE", "vase", "home", 90), ("LAMP", "lamp", "home", 120)]
PLAN = ("plan", "--method", "same_weekday_mean", "--horizon", 28)


@pytest.fixture(scope="module")
def retailer(
    server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    """The tiny retailer, 40 vases nobody ever bought, and a lamp sold ten weeks ago."""
    folder = tmp_path_factory.mktemp("retailer")
    exports = list(files(folder / "in").values())
    exports += [
        written(folder / "decor.csv", "sku,item name,category,price", DECOR),
        written(
            folder / "decor_supply.csv",
            "supplier,sku,unit cost,lead time days",
            [("SUP-01", "VASE", 50, 3), ("SUP-01", "LAMP", 80, 3)],
        ),
        written(
            folder / "decor_stock.csv",
            "count date,store,sku,on hand",
            [("2025-05-02", "ST-001", "VASE", 40), ("2025-05-02", "ST-001", "LAMP", 9)],
        ),
        written(
            folder / "decor_sale.csv",
            "date,store,sku,quantity,amount",
            [("2025-07-18", "ST-001", "LAMP", 1, 120)],
        ),
    ]
    with installed(server, folder / "home") as settings:
        with opened(settings) as sanhe:
            for path in exports:
                import_file(sanhe, ImportRequest(path), actor="importer")
        yield settings


def test_each_line_has_a_class_and_the_money_adds_up(retailer: Settings) -> None:
    with opened(retailer) as sanhe:
        lines, cells = health(sanhe, actor="planner")
        with sanhe.work(actor="planner") as work:
            on_hand = sum(p["on_hand"] for p in work.stock.positions().to_pylist())
    rows, matrix = lines.to_pylist(), cells.to_pylist()
    assert len(rows) == sum(cell["lines"] for cell in matrix) == 62
    assert {row["label"][:2] for row in rows} <= {a + x for a in "ABC" for x in "XYZ"}
    names = ("abc", "xyz", "margin_class", "age_class")
    assert all(row["label"] == "".join(row[name] for name in names) for row in rows)
    buckets = ("0_30", "31_60", "61_90", "91_180", "over_180")
    for row in rows:
        assert sum(row[f"cents_{bucket}"] for bucket in buckets) == row["stock_value_cents"]
    assert sum(row["on_hand"] for row in rows) == on_hand
    money = sum(row["stock_value_cents"] for row in rows)
    assert money == sum(cell["stock_value_cents"] for cell in matrix)
    by_class = {abc: [row for row in rows if row["abc"] == abc] for abc in "ABC"}
    assert min(row["value"] for row in by_class["A"]) >= max(row["value"] for row in by_class["C"])
    total = sum(row["value"] for row in rows)
    assert sum(row["value"] for row in by_class["A"]) > 0.5 * total
    assert len(by_class["A"]) < 0.5 * len(rows)


def test_dead_stock_is_named_with_its_money(retailer: Settings) -> None:
    told = Terminal(retailer).asked("health")
    assert [(d["sku"], d["place"], d["on_hand"]) for d in told["dead"]] == [("VASE", "ST-001", 40)]
    assert told["dead"][0]["stock_value_cents"] == 40 * 5_000
    assert sum(cell["dead_value_cents"] for cell in told["matrix"]) == 40 * 5_000
    assert "VASE" in Terminal(retailer).well("health").out


def test_the_class_steers_review_service_and_approval(retailer: Settings, tmp_path: Path) -> None:
    """What is set for a class changes that class alone, and the proposal says which one did."""
    terminal = Terminal(retailer)
    policy = tmp_path / "policy.toml"
    policy.write_text(
        "[service.by_class]\nC = {lowest = 0.985, highest = 0.99}\n"
        "[review]\ndays = 2\n[review.by_class]\nC = 10\n"
        '[[auto_approval]]\nname = "bx"\nclasses = ["BX"]\nmax_value_cents = 100000000\n'
    )
    terminal.well(*PLAN, "--policy", policy)
    found = terminal.asked("decisions", "--limit", 500)
    told = [(d["proposal"]["label"], d["proposal"]["inputs"]) for d in found]
    review = {(label[0], inputs["review_days"]) for label, inputs in told}
    assert {abc for abc, _ in review} >= {"A", "C"}
    assert review <= {("A", 2), ("B", 2), ("C", 10)}
    assert all((inputs["service_level"] >= 0.985) == (label[0] == "C") for label, inputs in told)
    by_c = {"review.days": "C", "service.lowest": "C", "service.highest": "C"}
    rules = {"A": {}, "B": {}, "C": by_c}
    assert all(inputs["class_rules"] == rules[label[0]] for label, inputs in told)
    approved = {d["proposal"]["label"][:2] for d in found if d["status"] != "proposed"}
    assert approved == {"BX"}


def test_what_moved_is_listed_with_its_reason(retailer: Settings) -> None:
    """Four weeks later, without a sale, the lamp has become dead stock."""
    terminal = Terminal(retailer)
    terminal.well("health", "--as-of", "2025-09-25")
    terminal.well("health", "--as-of", "2025-10-23")
    moved = terminal.asked("health", "moves", "--from", "2025-09-25", "--to", "2025-10-23")
    assert (moved["from_day"], moved["to_day"]) == ("2025-09-25", "2025-10-23")
    assert sum(cell["lines"] for cell in moved["matrix"]) == 62
    (lamp,) = [
        line
        for line in terminal.asked("health", "moves", "--limit", 100)["lines"]
        if line["sku"] == "LAMP"
    ]
    assert lamp["to_label"].endswith("4") and "no sale for 97 days" in lamp["reason"]
    assert "LAMP" in terminal.well("health", "moves", "--limit", 100).out


def test_a_class_can_be_looked_at_alone(retailer: Settings) -> None:
    terminal = Terminal(retailer)
    every, dead = (terminal.asked("health", "--class", name) for name in ("", "C"))
    assert {cell["abc"] for cell in dead["matrix"]} == {"C"}
    for name in ("ageing", "cover"):
        money = sum(row["stock_value_cents"] for row in every[name])
        assert money == sum(row["stock_value_cents"] for row in every["matrix"])
    refused = terminal("health", "--class", "Q", "--json")
    assert refused.code != 0 and "no class" in refused.refused["message"]
