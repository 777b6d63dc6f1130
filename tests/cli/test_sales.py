"""The commands for shoppers' orders, and the upkeep of them."""

from __future__ import annotations

from pathlib import Path

from sanhe.core.storage import EmbeddedServer
from tests.place.fulfil.store import town
from tests.wiring.installation import Terminal, installed


def test_an_order_from_the_terminal(server: EmbeddedServer, tmp_path: Path) -> None:
    with installed(server, tmp_path / "home") as settings:
        with town(settings):
            sanhe = Terminal(settings)
        dry = sanhe.asked("sale", "place", "A=2", "B=1", "--place", "S1", "--dry-run")
        costs = {"total_cents": 2_333, "due_cents": 2_333}
        assert dry == {**costs, "place": "S1", "refused": {}}
        first, again = (
            sanhe.asked("sale", "place", "A=2", "B=1", "--place", "S1", "--key", "once-only")
            for _ in range(2)
        )
        assert first == again
        number = first["number"]
        assert sanhe.asked("sale", "pay", number)["outcome"] == "taken"
        assert sanhe.asked("sale", "pay", number, "--reference", "2")["outcome"] == "twice"
        assert sanhe.asked("upkeep")["taken_up"] == 1
        assert "nothing to do" in sanhe.well("upkeep").out
        shown = sanhe.asked("sale", "show", number)
        assert [one["state"] for one in shown["shipments"]] == ["picking"]
        assert [one["kind"] for one in shown["events"]][:2] == ["placed", "paid"]
        assert "picking" in sanhe.well("sale", "show", number).out
        assert sanhe.asked("sale", "hand-over", number) == {"state": "complete"}
        assert sanhe.asked("upkeep")["told"] == 2
        there = ("sale", "place", "A=1", "--to", "31.205,121.0")
        assert sanhe(*there).code == 2, "nobody to bring it to"
        label = tmp_path / "label.json"
        label.write_text("Zhang, 17 Haijiao Road")
        refused = sanhe(*there, "--recipient", label)
        assert refused.code == 2 and "Zhang" not in refused.err
        label.write_text('{"name": "张小明", "phone": "13800131234", "lines": ["海椒路 17 号"]}')
        other = sanhe.asked(*there, "--recipient", label)["number"]
        assert sanhe.asked("sale", "recipient", other)["name"] == "张小明"
        assert "海椒路 17 号" in sanhe.well("sale", "recipient", other).out
        erase = ("persons", "erase", "--order", other, "--reason", "asked by mail")
        assert sanhe(*erase).code == 4, "it is still open"
        assert "cancelled" in sanhe.well("sale", "cancel", other, "--reason", "no").out
        assert sanhe("persons", "erase", "--reason", "x").code == 2
        assert [sanhe.asked(*erase)["erased"] for _ in range(2)] == [True, False]
        assert sanhe("sale", "recipient", other).code == 3
        listed = sanhe.asked("sale", "list")
        assert [row["state"] for row in listed["rows"]] == ["cancelled", "complete"]
        assert sanhe("sale", "show", 99).code == 3
        for wrong in (("A",), ("A=x",), ("A=1", "--to", "home"), ("A=1", "--to", "99,1")):
            where = () if "--to" in wrong else ("--place", "S1")
            assert sanhe("sale", "place", *wrong, *where).code == 2
        assert sanhe("sale", "place", "A=99", "--place", "S1").code == 7
