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
        other = sanhe.asked("sale", "place", "A=1", "--to", "31.205,121.0")["number"]
        assert "cancelled" in sanhe.well("sale", "cancel", other, "--reason", "no").out
        listed = sanhe.asked("sale", "list")
        assert [row["state"] for row in listed["rows"]] == ["cancelled", "complete"]
        assert sanhe("sale", "show", 99).code == 3
        for wrong in (("A",), ("A=x",), ("A=1", "--to", "home"), ("A=1", "--to", "99,1")):
            where = () if "--to" in wrong else ("--place", "S1")
            assert sanhe("sale", "place", *wrong, *where).code == 2
        assert sanhe("sale", "place", "A=99", "--place", "S1").code == 7
