"""S3 dynamic replenishment, from outside: from files to orders that add up, each made once."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sanhe.core.storage import EmbeddedServer
from sanhe.wiring import ImportRequest, import_file
from tests.wiring.files import files
from tests.wiring.installation import Terminal, installed, opened, state_of

PLAN = ("plan", "--method", "same_weekday_mean", "--horizon", 14)
EVERYTHING = ("decisions", "--limit", 500)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The files of the tiny retailer."""
    return files(tmp_path_factory.mktemp("exports"))


@pytest.fixture
def sanhe(server: EmbeddedServer, exports: dict[str, Path], tmp_path: Path) -> Iterator[Terminal]:
    """A terminal at the tiny retailer, its files taken in, nothing planned."""
    with installed(server, tmp_path / "home") as settings:
        with opened(settings) as installation:
            for path in exports.values():
                import_file(installation, ImportRequest(path), actor="importer")
        yield Terminal(settings)


def table(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def key_of(decision: dict[str, Any]) -> tuple[str, str]:
    """The SKU and place of a decision."""
    subject = decision["proposal"]["subject"]
    return subject["sku"], subject["place"]


def test_every_quantity_adds_up_and_keeps_the_limits(
    sanhe: Terminal, exports: dict[str, Path]
) -> None:
    planned = sanhe.asked(*PLAN)["plan"]
    found = sanhe.asked(*EVERYTHING)
    assert len(found) == planned["proposed"] >= 5
    with opened(sanhe.settings) as installation:
        state = state_of(installation)
    terms = {row["sku"]: row for row in table(exports["supply"])}
    for decision in found:
        proposal, value = decision["proposal"], decision["value"]
        assert sum(proposal["terms"]) == value > 0
        told = sanhe.asked("explain", decision["number"]) if decision is found[0] else None
        by_name = {} if told is None else {term["name"]: term["value"] for term in told["terms"]}
        assert (
            by_name.get("on_hand", -state.on_hand[key_of(decision)])
            == -state.on_hand[key_of(decision)]
        )
        assert proposal["inputs"]["on_hand"] == state.on_hand[key_of(decision)]
        agreed = terms[key_of(decision)[0]]
        assert value % int(agreed["case"]) == 0 and value >= int(agreed["moq"])
        assert proposal["value_cents"] == round(value * float(agreed["unit cost"]) * 100)
    told = sanhe.asked("explain", found[0]["number"])
    by_name = {term["name"]: term["value"] for term in told["terms"]}
    assert by_name.get("on_hand", 0) == -state.on_hand[key_of(found[0])]
    assert sum(by_name.values()) == told["quantity"] == found[0]["value"]


def test_nothing_is_proposed_or_ordered_twice(sanhe: Terminal) -> None:
    planned = sanhe.asked(*PLAN)["plan"]
    again = sanhe.asked(*PLAN)["plan"]
    assert (again["proposed"], again["already_open"]) == (0, planned["proposed"])
    found = {decision["number"]: decision for decision in sanhe.asked(*EVERYTHING)}
    done = sanhe.asked("approve", "--all")
    assert done["approved"] == planned["proposed"]
    rows = [
        row for name in done["orders"] for row in table(sanhe.settings.home / f"orders/{name}.csv")
    ]
    ordered = {
        int(row["decision"]): (row["sku"], row["place"], int(row["quantity"])) for row in rows
    }
    assert len(rows) == len(ordered)
    assert ordered == {number: (*key_of(d), d["value"]) for number, d in found.items()}
    # One order goes to one supplier, for one place.
    for name in done["orders"]:
        lines = [row for row in rows if row["order"] == name]
        assert len({(row["supplier"], row["place"], row["due"]) for row in lines}) == 1
    # All is on order now: the next plan wants none of it.
    assert sanhe.asked(*PLAN)["plan"]["proposed"] == 0


def test_a_budget_is_kept(sanhe: Terminal) -> None:
    budget = 300
    planned = sanhe.asked(*PLAN, "--budget", budget)["plan"]
    found = sanhe.asked(*EVERYTHING)
    assert 0 < sum(d["proposal"]["value_cents"] for d in found) <= budget * 100
    assert planned["limits"]["budget"] > 0


def test_small_lines_of_a_class_are_approved_by_rule(sanhe: Terminal, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(
        '[[auto_approval]]\nname = "small"\nclasses = ["B"]\nmax_value_cents = 20000\n'
    )
    done = sanhe.asked(*PLAN, "--policy", policy)
    found = sanhe.asked(*EVERYTHING)
    small = {
        d["number"]
        for d in found
        if d["proposal"]["label"].startswith("B") and d["proposal"]["value_cents"] <= 20_000
    }
    executed = {d["number"] for d in found if d["status"] == "executed"}
    assert executed == small and done["plan"]["auto_approved"] == len(small) > 0
    assert len(found) > len(small), "the control: the others wait for a person"
    assert {d["status"] for d in found if d["number"] not in small} == {"proposed"}
    orders = [line["decision"] for order in sanhe.asked("orders") for line in order["lines"]]
    assert sorted(orders) == sorted(small)


def test_without_counts_it_says_what_it_assumed(
    server: EmbeddedServer, exports: dict[str, Path], tmp_path: Path
) -> None:
    with installed(server, tmp_path / "home") as settings:
        terminal = Terminal(settings)
        terminal.well("import", exports["sales"], "--create-missing")
        planned = terminal.asked(*PLAN)["plan"]
        assert planned["assumed"]["on_hand"] == planned["considered"] == 60
        first = terminal.asked("decisions", "--limit", 1)[0]
        told = terminal.well("explain", first["number"]).out
        assert "assumed:" in told
