"""The commands of membership."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanhe.core.errors import BadInput
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import By, adjust_points
from tests.wiring.installation import Terminal, installed, opened


def test_points_from_the_terminal(server: EmbeddedServer, tmp_path: Path) -> None:
    with installed(server, tmp_path / "home") as settings:
        with opened(settings) as sanhe, sanhe.work(actor="shop") as work:
            work.tiers.join("M1", at=sanhe.clock.now())
        terminal = Terminal(settings)
        more = ("member", "adjust", "M1", "--points", "500", "--reason", "a late parcel")
        for _ in range(2):
            told = terminal.asked(*more, "--key", "once-only")
            assert told == {"member": "M1", "available": 500}
        fewer = terminal.asked("member", "adjust", "M1", "--points", "-100", "--reason", "twice")
        assert fewer["available"] == 400
        shown = terminal.asked("member", "points", "M1", "--limit", "1")
        assert (shown["tier"], shown["points"]["available"]) == ("basic", 400)
        assert [line["note"] for line in shown["history"]["lines"]] == ["twice"]
        assert "--before" in terminal.well("member", "points", "M1", "--limit", "1").out
        before = str(shown["history"]["next"])
        assert "earned" in terminal.well("member", "points", "M1", "--before", before).out
        assert "no member" in terminal.well("member", "points", "guest").out
        liable = terminal.asked("loyalty", "liability")
        assert [month["points"] for month in liable["months"]] == [400]
        assert "3.20 CNY" in terminal.well("loyalty", "liability").out
        assert "0 points" in terminal.well("loyalty", "liability", "--as-of", "2099-01-01").out
        assert terminal.asked("loyalty", "run")["evaluated"] == 1
        assert terminal.asked("upkeep")["standings"] == 0
        assert "0 standings" in terminal.well("loyalty", "run").out
        assert terminal("member", "adjust", "M1", "--points", "-401", "--reason", "no").code == 7
        top_up = ("member", "top-up", "M2", "--paid-cents", "900", "--key", "once-only")
        stored = [terminal.asked(*top_up) for _ in range(2)]
        assert stored[0] == stored[1] and stored[0]["available_cents"] == 900
        refund = ("member", "refund", "M2", stored[0]["top_up"])
        assert "-9.00 CNY paid" in terminal.well(*refund, "--key", "r1").out
        assert terminal(*refund, "--key", "r2").code == 4
        with opened(settings) as sanhe:
            with sanhe.work(actor="auditor") as work:
                trail = work.audit.trail(subject="M1")
            assert [event.details["points"] for event in trail] == [-100, 500]
            for points, reason in ((0, "why"), (5, " ")):
                with pytest.raises(BadInput):
                    adjust_points(sanhe, "M1", points, reason=reason, key="k", by=By("x"))
