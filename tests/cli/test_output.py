"""What the command line prints: JSON that programs can read, numbers that people can."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest

from sanhe.cli.output import Output, as_json, money, number, table
from sanhe.core.decisions import Status


@dataclass(frozen=True)
class Thing:
    day: date
    path: Path
    status: Status


def test_any_value_of_ours_has_a_json_form() -> None:
    thing = Thing(date(2026, 1, 2), Path("a/b"), Status.PROPOSED)
    assert as_json([thing, UUID(int=1), datetime(2026, 1, 1, tzinfo=UTC)]) == [
        {"day": "2026-01-02", "path": "a/b", "status": "proposed"},
        "00000000-0000-0000-0000-000000000001",
        "2026-01-01T00:00:00+00:00",
    ]


def test_what_has_no_json_form_is_refused() -> None:
    with pytest.raises(TypeError, match="no JSON form"):
        as_json(object())


def test_json_output_is_one_document_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    output = Output(json=True)
    output.say("for people only")
    output.show({"名": 1}, "text for people")
    assert json.loads(capsys.readouterr().out) == {"名": 1}


@pytest.mark.parametrize(
    ("cell", "shown"),
    [(1234, "1,234"), (0.5, "0.5"), (1234.5, "1,234"), (None, "–"), (True, "yes"), ("x", "x")],
)
def test_numbers_are_readable(cell: object, shown: str) -> None:
    assert number(cell) == shown


def test_money_keeps_its_cents() -> None:
    assert money(-123456, "CNY") == "-1,234.56 CNY"


FOREIGN = ("x [/y]", "flour [kg]", "[red]tea[/red]", "lot :100: \\[b]", "\\")


def test_text_from_outside_is_printed_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """Brackets of a name are no markup: they were lost, or stopped the command."""
    output = Output()
    for text in FOREIGN:
        output.say(f"said {text}.")
        output.show({}, table(f"title {text}.", (f"column {text}.",), [(f"cell {text}.",)]))
        shown = capsys.readouterr().out
        for where in ("said", "title", "column", "cell"):
            assert f"{where} {text}." in shown
