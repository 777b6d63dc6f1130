"""`sanhe forecast` opens a line into its drivers; `sanhe override` says otherwise and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from sanhe.core.storage import EmbeddedServer
from tests.wiring.files import files
from tests.wiring.installation import Terminal, installed

PLAN = ("plan", "--method", "same_weekday_mean", "--horizon", 14)


@pytest.fixture(scope="module")
def sanhe(server: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A terminal at the tiny retailer, with a plan made."""
    with installed(server, tmp_path_factory.mktemp("home")) as settings:
        terminal = Terminal(settings)
        for path in files(tmp_path_factory.mktemp("exports")).values():
            terminal.well("import", path)
        terminal.well(*PLAN)
        yield terminal


@pytest.fixture
def line(sanhe: Terminal) -> tuple[str, str]:
    """The SKU and place of a proposal."""
    subject = sanhe.asked("decisions", "--limit", 1)[0]["proposal"]["subject"]
    return subject["sku"], subject["place"]


def test_a_forecast_is_opened_into_drivers_that_sum_to_it(
    sanhe: Terminal, line: tuple[str, str]
) -> None:
    told = sanhe.asked("forecast", *line, "--days", 7)
    assert len(told["days"]) == 7
    for one in told["days"]:
        assert sum(one["drivers"].values()) == pytest.approx(one["mean"], abs=1e-3)
        assert one["low"] <= one["high"]
    shown = sanhe.well("forecast", *line, "--days", 7).out
    assert line[0] in shown and "same_weekday_mean" in shown and "season" in shown


def test_no_such_line_is_refused(sanhe: Terminal, line: tuple[str, str]) -> None:
    ended = sanhe("forecast", "NO-SUCH", line[1])
    assert ended.code != 0 and "NO-SUCH" in ended.err


def test_an_override_is_applied_listed_and_taken_back(
    sanhe: Terminal, line: tuple[str, str]
) -> None:
    sku, place = line
    before = sanhe.asked("forecast", sku, place, "--days", 7)
    first = date.fromisoformat(before["days"][0]["day"])
    last = first + timedelta(days=6)
    span = ("--sku", sku, "--place", place, "--from", first, "--to", last)
    said = sanhe.asked("override", "add", *span, "--factor", 1.5, "--reason", "street fair")
    assert sanhe.asked("forecast", sku, place)["days"][0]["mean"] == before["days"][0]["mean"]
    sanhe.well(*PLAN)
    after = sanhe.asked("forecast", sku, place, "--days", 7)
    for old, new in zip(before["days"], after["days"], strict=True):
        assert new["mean"] == pytest.approx(1.5 * old["mean"], rel=1e-3)
        assert new["drivers"]["override"] == pytest.approx(0.5 * old["mean"], rel=1e-2, abs=1e-3)
    (listed,) = sanhe.asked("override", "list")
    assert listed["override"]["reason"] == "street fair"
    assert listed["override"]["author"] == "planner"
    assert "street fair" in sanhe.well("override", "list").out.replace("\n", " ")
    sanhe.well("override", "withdraw", said["id"])
    assert sanhe.asked("override", "list") == []
    sanhe.well(*PLAN)
    again = sanhe.asked("forecast", sku, place, "--days", 7)
    assert [one["mean"] for one in again["days"]] == [one["mean"] for one in before["days"]]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--factor", 1.5), "reason"),
        (("--reason", "a feeling"), "factor"),
        (("--factor", -1, "--reason", "a feeling"), "factor"),
        (("--factor", 1.5, "--reason", "a feeling", "--from", "soon"), "YYYY-MM-DD"),
    ],
)
def test_an_override_that_says_too_little_is_refused(
    sanhe: Terminal, line: tuple[str, str], words: tuple[object, ...], told: str
) -> None:
    ended = sanhe("override", "add", "--sku", line[0], "--from", "2030-01-01", *words)
    assert ended.code == 2 and told in ended.err + ended.out
    assert sanhe.asked("override", "list") == []


def test_nothing_to_withdraw_is_refused(sanhe: Terminal) -> None:
    assert "give the id" in sanhe("override", "withdraw").err
    assert sanhe("override", "withdraw", "no-such-override").code != 0
