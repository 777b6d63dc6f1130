"""The commands for promotions and coupons."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

from sanhe.core.facts import Fact, facts_table
from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import record_facts
from tests.seed.test_s11 import AUTUMN, WELCOME
from tests.wiring.installation import Terminal, installed, opened

LASTING = WELCOME.replace("2027", "2090")
"""Still to end, whatever day it is."""


def test_a_promotion_is_saved_weighed_published_and_its_coupons_issued(
    server: EmbeddedServer, tmp_path: Path
) -> None:
    file, campaign = tmp_path / "welcome.json", tmp_path / "autumn.json"
    file.write_text(LASTING)
    campaign.write_text(AUTUMN.replace("2027", "2090"))
    with installed(server, tmp_path / "home") as settings:
        with opened(settings) as installation:
            sold = Fact(
                "sale.line", "pos", "L1", datetime(2026, 5, 1, 4, tzinfo=UTC), date(2026, 5, 1),
                "TEA", "S1", None, 2, 8_000, "CNY", {"receipt": "r1"},
            )  # fmt: skip
            tables = {"receipts": facts_table([sold])}
            record_facts(installation, tables, source="pos", actor="importer")
        sanhe = Terminal(settings)
        assert sanhe.asked("promotion", "save", file)["version"] == 1
        found = sanhe.asked("promotion", "simulate", "welcome")
        assert (found["evidence"]["reached"], found["decision"]) == (1, None)
        number = sanhe.asked("promotion", "publish", "welcome")["decision"]
        assert [one["state"] for one in sanhe.asked("promotion", "list")] == ["draft"]
        sanhe.well("promotion", "publish", "welcome", "--decision", number, "--reason", "fine")
        listed = sanhe.well("promotion", "list", "--state", "published").out
        assert "welcome" in listed and "1,000" in listed
        sanhe.well("coupon", "campaign", campaign)
        made = sanhe.asked("coupon", "issue", "autumn", "--member", "M1", "--count", 2)
        assert len(made) == 3
        for shown in (sanhe.well("coupon", "show").out, sanhe.well("coupon", "show", "autumn").out):
            assert "autumn" in shown or "M1" in shown
            assert not any(one["code"] in shown or one["signed"] in shown for one in made)
        assert sanhe("coupon", "show", "none").code == 3
        assert sanhe("promotion", "list", "--state", "none").code == 2
        file.write_text("{")
        assert sanhe("promotion", "save", file).code == 2
        file.write_text(json.dumps({**json.loads(LASTING), "budget_cents": 0}))
        assert sanhe("promotion", "save", file, "--json").code == 2
        sanhe.well("promotion", "withdraw", "welcome", "--reason", "over")
        assert [one["state"] for one in sanhe.asked("promotion", "list")] == ["withdrawn"]
