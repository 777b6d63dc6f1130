"""Every command at the terminal: what it answers, how it refuses, and what a second try does."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from sanhe.core.storage import EmbeddedServer
from tests.wiring.files import files, written
from tests.wiring.installation import Terminal, installed, opened

PLAN = ("plan", "--method", "same_weekday_mean", "--horizon", 14)
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
TOMORROW = TODAY + timedelta(days=1)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the tiny retailer."""
    return files(tmp_path_factory.mktemp("exports"))


@pytest.fixture(scope="module")
def sanhe(
    server: EmbeddedServer,
    exports: dict[str, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Terminal]:
    """A terminal at the tiny retailer: its files are in, orders are proposed."""
    with installed(server, tmp_path_factory.mktemp("home")) as settings:
        terminal = Terminal(settings)
        for path in exports.values():
            terminal.well("import", path)
        assert terminal.asked(*PLAN)["plan"]["proposed"] >= 5
        yield terminal


@pytest.fixture
def fresh(server: EmbeddedServer, tmp_path: Path) -> Iterator[Terminal]:
    """A terminal at an installation that holds nothing."""
    with installed(server, tmp_path / "home") as settings:
        yield Terminal(settings)


def proposed(sanhe: Terminal, count: int) -> list[int]:
    """The numbers of some proposals of `PLAN`, those with the least money at stake."""
    found = sanhe.asked("decisions", "--status", "proposed", "--limit", 500)
    mine = [d["number"] for d in found if d["proposal"]["method"].endswith("same_weekday_mean")]
    return mine[-count:]


def status(sanhe: Terminal, number: int) -> str:
    """The status of a decision."""
    return str(sanhe.asked("explain", number)["status"])


def test_import_tells_what_it_took_in_and_what_it_knew(
    sanhe: Terminal, exports: dict[str, Path]
) -> None:
    again = sanhe.asked("import", exports["sales"])
    assert (again["new"], again["repeated"]) == (0, 2131)
    told = sanhe.well("import", exports["sales"]).out
    assert "sales.csv: 2,131 rows, read as 'sales_day'" in told
    assert "recorded 0 new facts, 2,131 known before" in told
    assert "296,710.99 CNY" in told
    dry = sanhe.asked("import", exports["stock"], "--dry-run")
    assert dry["batch"] is None
    listed = sanhe.asked("imports")
    assert [batch["name"] for batch in listed][:6] == [path.name for path in exports.values()]
    assert "stock.csv" in sanhe.well("imports").out


def test_a_second_plan_proposes_nothing_twice(sanhe: Terminal) -> None:
    before = len(sanhe.asked("decisions", "--status", "proposed", "--limit", 500))
    again = sanhe.asked(*PLAN)["plan"]
    assert (again["proposed"], again["already_open"]) == (0, before)
    # Nor does another method, horizon or policy.
    other = sanhe.asked("plan", "--method", "seasonal_naive", "--horizon", 21)["plan"]
    assert other["already_open"] > 0
    subjects = [
        (d["proposal"]["subject"]["sku"], d["proposal"]["subject"]["place"])
        for d in sanhe.asked("decisions", "--status", "proposed", "--limit", 500)
    ]
    assert len(subjects) == len(set(subjects)) == before + other["proposed"]


def test_decisions_are_listed_largest_first_and_explained_to_the_last_unit(
    sanhe: Terminal,
) -> None:
    found = sanhe.asked("decisions", "--limit", 500)
    money = [decision["proposal"]["value_cents"] for decision in found]
    assert money == sorted(money, reverse=True)
    for decision in found:
        assert sum(decision["proposal"]["terms"]) == decision["proposal"]["value"]
    first = found[0]
    told = sanhe.asked("explain", first["number"])
    assert sum(term["value"] for term in told["terms"]) == told["quantity"] == first["value"]
    assert told["terms"][-1]["running"] == told["quantity"]
    shown = sanhe.well("explain", first["number"]).out
    assert first["proposal"]["reason"] in " ".join(shown.split())
    assert f"{told['quantity']:,}" in shown
    subject = first["proposal"]["subject"]
    only = sanhe.asked("decisions", "--sku", subject["sku"], "--place", subject["place"])
    assert [decision["number"] for decision in only] == [first["number"]]
    of_place = [d for d in found if d["proposal"]["subject"]["place"] == subject["place"]]
    assert 1 < len(of_place) < len(found)
    told_short = sanhe.well("decisions", "--place", subject["place"], "--limit", 1).out
    assert f"1 of {len(of_place)} decisions" in told_short


def test_a_line_without_a_proposal_is_explained_too(sanhe: Terminal) -> None:
    lines = {("SKU-0001", "DC-01"), ("SKU-0001", "ST-001"), ("SKU-0001", "ST-002")}
    taken = {
        (d["proposal"]["subject"]["sku"], d["proposal"]["subject"]["place"])
        for d in sanhe.asked("decisions", "--limit", 500)
    }
    sku, place = sorted(lines - taken)[0]
    told = sanhe.asked("explain", "--sku", sku, "--place", place)
    assert (told["number"], told["quantity"]) == (None, 0)
    assert sum(term["value"] for term in told["terms"]) == 0
    assert sanhe("explain", "--sku", "nothing", "--place", place).code == 3


def test_approve_orders_at_once_and_only_once(sanhe: Terminal) -> None:
    first, second = proposed(sanhe, 2)
    done = sanhe.asked("approve", first, "--reason", "as proposed")
    assert done["approved"] == 1
    (name,) = done["orders"]
    assert status(sanhe, first) == "executed"
    again = sanhe("approve", first, "--json")
    assert (again.code, again.refused["error"], again.out) == (4, "Conflict", "")
    assert str(first) in again.refused["message"]
    # One that can't be approved takes the others back with it.
    assert sanhe("approve", first, second).code == 4
    assert status(sanhe, second) == "proposed"
    (order,) = [order for order in sanhe.asked("orders") if order["name"] == name]
    assert (order["status"], order["lines"][0]["decision"]) == ("sent", first)
    shown = sanhe.well("orders").out
    assert name in shown
    assert (sanhe.settings.home / "orders" / f"{name}.csv").exists()


def test_approve_by_class_and_value_takes_only_what_fits(sanhe: Terminal) -> None:
    found = sanhe.asked("decisions", "--status", "proposed", "--limit", 500)
    label = found[-1]["proposal"]["label"]
    most = sorted(d["proposal"]["value_cents"] for d in found if d["proposal"]["label"] == label)[0]
    fits = {
        d["number"]
        for d in found
        if d["proposal"]["label"] == label and d["proposal"]["value_cents"] <= most
    }
    done = sanhe.asked("approve", "--class", label, "--max-value", most / 100)
    assert done["approved"] == len(fits) >= 1
    left = sanhe.asked("decisions", "--status", "proposed", "--limit", 500)
    assert {d["number"] for d in found} - {d["number"] for d in left} == fits
    nothing = sanhe.asked("approve", "--max-value", 0.0)
    assert (nothing["approved"], nothing["orders"]) == (0, [])


def test_edit_reject_and_snooze(sanhe: Terminal) -> None:
    edited, rejected, snoozed = proposed(sanhe, 3)
    done = sanhe.asked("edit", edited, 500, "--reason", "a fair next door")
    assert (done["edited"], done["quantity"], len(done["orders"])) == (edited, 500, 1)
    assert sanhe.asked("explain", edited)["decided"] == 500
    assert sanhe.asked("reject", rejected, "--reason", "delisted") == {"rejected": 1}
    assert sanhe.asked("snooze", snoozed, "--until", TOMORROW) == {"snoozed": 1}
    with opened(sanhe.settings) as installation, installation.work(actor="auditor") as work:
        until = work.decisions.get(snoozed).snoozed_until
    # Shanghai's midnight is 16:00 of the day before in UTC.
    assert until == datetime.combine(TODAY, time(16), tzinfo=UTC)
    assert [status(sanhe, n) for n in (edited, rejected, snoozed)] == [
        "executed",
        "rejected",
        "snoozed",
    ]
    # Put off is not gone: it is still open, so that nothing is proposed beside it.
    again = sanhe.asked(*PLAN)["plan"]
    assert again["proposed"] == 0 and again["decided_before"] == 1
    history = sanhe.asked("explain", rejected)["history"]
    assert (history[-1]["actor"], history[-1]["reason"]) == ("planner", "delisted")


def test_health_backtest_and_report(sanhe: Terminal, tmp_path: Path) -> None:
    health = sanhe.asked("health")
    assert sum(cell["lines"] for cell in health["matrix"]) == 60
    assert "in stock" in sanhe.well("health").out
    scores = sanhe.asked("backtest", "--origins", 1)
    assert {"champion", "seasonal_naive"} <= {score["method"] for score in scores}
    weeks = sanhe.asked("aggregates", "--weeks", 2)
    sums = {
        by: sum(row["forecast"] for row in weeks if row["level"] == by)
        for by in ("category", "region")
    }
    assert sums["category"] == pytest.approx(sums["region"]) and sums["region"] > 0
    assert "units by category and week" in sanhe.well("aggregates", "--by", "category").out
    lost = sanhe.asked("backtest", "--losses", "--origins", 1, "--worst", 3)
    assert [row["by"] for row in lost].count("series") == 3
    assert lost[0]["loss_cents"] == lost[0]["too_much_cents"] + lost[0]["too_little_cents"] > 0
    assert "loss by velocity" in sanhe.well("backtest", "--losses", "--origins", 1).out
    out = tmp_path / "report.html"
    assert sanhe.asked("report", "--no-backtest", "--out", out) == {"report": str(out)}
    page = out.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>") or page.startswith("<!DOCTYPE html>")
    assert re.search(r"SKU-\d{4}", page), "items are named"
    assert "https://" not in page.replace("http://www.w3.org", ""), "the page loads nothing"


def test_keeping_commands(sanhe: Terminal, tmp_path: Path) -> None:
    assert all(finding["well"] for finding in sanhe.asked("doctor"))
    found = sanhe.asked("where", "dynamic replenishment")
    assert found[0]["system"] == "S3" and "sanhe plan" in found[0]["commands"]
    assert sanhe("where", "xyzzy plugh").code == 3
    assert sanhe.well("version").out.startswith("sanhe ")
    verified = sanhe.asked("verify")
    assert verified["stock positions"] == 60
    saved = sanhe.asked("backup", tmp_path / "saved")
    assert sanhe.asked("verify", tmp_path / "saved")["files"] == saved["files"]
    assert sanhe("backup", tmp_path / "saved").code != 0, "a backup is never written over"
    broken = next((tmp_path / "saved").rglob("*.parquet"))
    broken.write_bytes(broken.read_bytes()[:-1])
    spoilt = sanhe("verify", tmp_path / "saved", "--json")
    assert spoilt.code == 8 and broken.name in spoilt.refused["message"]


def test_simulate_compares_the_old_policy_with_the_new(sanhe: Terminal) -> None:
    rows = sanhe.asked(
        "simulate", "--seeds", 1, "--stores", 1, "--skus", 4, "--weeks", 1, "--seed", 3
    )
    assert {"inventory_days", "fill_rate", "waste"} <= {row["metric"] for row in rows}


REFUSED = [
    (("explain", 999_999), 3, "999999"),
    (("explain",), 2, "nothing to explain"),
    (("approve",), 2, "nothing chosen"),
    (("approve", 999_999), 3, "999999"),
    (("edit", 999_999, 5, "--reason", "x"), 3, "999999"),
    (("reject", 999_999, "--reason", "x"), 3, "999999"),
    (("snooze", 999_999, "--until", TOMORROW), 3, "999999"),
    (("plan", "--as-of", "tomorrow"), 2, "--as-of"),
    (("plan", "--as-of", "2025-02-30"), 2, "--as-of"),
    (("plan", "--as-of", "1990-01-01"), 2, "1990"),
    (("plan", "--method", "crystal ball"), 2, "crystal ball"),
    (("plan", "--policy", "/no/such/policy.toml"), 2, "/no/such/policy.toml"),
    (("plan", "--assumptions", "/no/such/file.toml"), 2, "/no/such/file.toml"),
    (("backtest", "--by", "moon"), 2, "moon"),
    (("backtest", "--as-of", "1990-01-01"), 2, "1990"),
    (("undo", "not-an-id"), 2, "not-an-id"),
    (("undo", "00000000-0000-0000-0000-000000000000"), 3, "00000000"),
    (("import", "/no/such/file.csv"), 3, "/no/such/file.csv"),
    (("restore", "/no/such/backup"), 2, "/no/such/backup"),
    (("verify", "/no/such/backup"), 2, "/no/such/backup"),
]


@pytest.mark.parametrize(
    ("words", "code", "said"), REFUSED, ids=lambda part: str(part) if part else None
)
def test_a_refusal_is_one_line_with_a_code(
    sanhe: Terminal, words: tuple[object, ...], code: int, said: str
) -> None:
    told = sanhe(*words)
    assert (told.code, told.out) == (code, ""), told.err
    assert told.err.startswith("sanhe: ") and said in told.err
    assert "Traceback" not in told.err
    asked = sanhe(*words, "--json")
    assert (asked.code, asked.out, asked.refused["exit"]) == (code, "", code)


def test_what_the_parser_refuses_is_told_on_stderr(sanhe: Terminal) -> None:
    number = proposed(sanhe, 1)[0]
    for words in (
        ("edit", number, "--reason", "x", "--", -5),
        ("edit", number, 5),
        ("reject", number),
        ("snooze", number),
        ("plan", "--horizon", 0),
        ("explain", "seven"),
        ("fly",),
    ):
        ended = sanhe(*words)
        assert (ended.code, ended.out) == (2, ""), words
        assert "Traceback" not in ended.err
    assert status(sanhe, number) == "proposed"


def test_deciding_asks_for_what_it_needs(sanhe: Terminal) -> None:
    number = proposed(sanhe, 1)[0]
    for words, said in (
        (("reject", number, "--reason", " "), "reason"),
        (("edit", number, 5, "--reason", ""), "reason"),
        (("snooze", number, "--until", "2020-01-01"), "not later than now"),
        (("snooze", number, "--until", TODAY), "not later than now"),
        (("snooze", number, "--until", "soon"), "--until"),
    ):
        ended = sanhe(*words)
        assert ended.code == 2 and said in ended.err, (words, ended.err)
    assert status(sanhe, number) == "proposed"


def test_a_correction_needs_a_revision_and_is_undone_once(
    sanhe: Terminal, exports: dict[str, Path], tmp_path: Path
) -> None:
    with exports["stock"].open(encoding="utf-8", newline="") as stream:
        header, first, *_ = csv.reader(stream)
    counted = dict(zip(header, first, strict=True))
    counted["on hand"] = str(int(counted["on hand"]) + 1)
    path = written(tmp_path / "one.csv", ",".join(header), [list(counted.values())])
    told = sanhe("import", path)
    assert told.code == 2 and "one.csv row 2" in told.err and "--revision 1" in told.err
    batch = sanhe.asked("import", path, "--revision", 1)["batch"]
    assert sanhe.asked("undo", batch)["facts"] == 1
    twice = sanhe("undo", batch, "--json")
    assert (twice.code, twice.refused["error"]) == (4, "Conflict")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", b"", "empty"),
        ("empty.parquet", b"", "empty"),
        ("cut.parquet", b"PAR1 cut short", "cut.parquet"),
        ("none.csv", b"date,store,sku,quantity,amount\n", "none.csv"),
        ("columns.csv", b"a,b\n1,2\n", "columns.csv"),
        ("future.csv", b"date,store,sku,quantity\n2099-01-01,ST-001,SKU-0001,1\n", "row 2"),
        ("unknown.csv", b"date,store,sku,quantity\n2025-09-01,ST-001,NOPE,1\n", "row 2"),
    ],
)
def test_a_bad_file_changes_nothing(
    sanhe: Terminal, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    before = sanhe.asked("verify")["facts digest"], len(sanhe.asked("imports"))
    ended = sanhe("import", path)
    assert (ended.code, ended.out) == (2, ""), ended.err
    assert name in ended.err and said in ended.err
    assert (sanhe.asked("verify")["facts digest"], len(sanhe.asked("imports"))) == before


def test_nothing_is_there_yet(fresh: Terminal) -> None:
    told = fresh("plan")
    assert told.code == 2 and "sanhe import" in told.err
    assert fresh("health").code == 2
    assert fresh("backtest").code == 2
    assert fresh.asked("decisions") == []
    assert fresh.asked("orders") == []
    assert fresh.asked("imports") == []
    nothing = fresh("approve", "--all")
    assert nothing.code == 3 and "sanhe plan" in nothing.err
    assert fresh("explain", 1).code == 3
    assert all(finding["well"] for finding in fresh.asked("doctor"))


def test_the_installed_command_ends_with_the_code(sanhe: Terminal) -> None:
    """The console script itself, in a process of its own."""
    script = Path(sys.executable).with_name("sanhe")
    environment = {**sanhe.environment, "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
    ended = subprocess.run(
        [script, "explain", "999999", "--json"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (3, "")
    assert json.loads(ended.stderr)["refused"]["error"] == "NotFound"
