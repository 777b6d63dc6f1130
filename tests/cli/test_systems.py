"""The map: all systems listed once, and questions in two languages find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from sanhe.cli.systems import SYSTEMS, Answer, answers, map_page, search, seed_test

ROOT = Path(__file__).parents[2]


def test_every_system_of_the_plan_is_listed_once() -> None:
    assert [system.number for system in SYSTEMS] == [f"S{n}" for n in range(1, 36)]


def test_what_no_package_names_is_not_built_and_has_no_test() -> None:
    built = answers()
    named = {number for answer in built for number in answer.systems}
    page = map_page(built).splitlines()
    for system in SYSTEMS:
        (row,) = [line for line in page if line.startswith(f"| {system.number} ")]
        assert ("*not built*" in row) == (system.number not in named)
        assert (ROOT / seed_test(system.number)).exists() == (system.number in named), row


def test_the_commands_on_the_map_exist() -> None:
    from sanhe.cli.reference import all_commands

    known = set(all_commands())
    for answer in answers():
        assert {command.removeprefix("sanhe ") for command in answer.commands} <= known, answer


@pytest.mark.parametrize(
    ("question", "number"),
    [
        ("dynamic pricing", "S16"),
        ("动态定价", "S16"),
        ("补货", "S3"),
        ("S25", "S25"),
        ("replenishmnt", "S3"),
        ("demand forecast", "S2"),
        ("livestream", "S31"),
    ],
)
def test_a_question_finds_its_system(question: str, number: str) -> None:
    found = search(question, [Answer("sanhe.goods.replenish", "", ("S3",), ())])
    assert found[0].number == number


def test_nonsense_finds_nothing() -> None:
    assert search("zzzzqqqq", []) == []
