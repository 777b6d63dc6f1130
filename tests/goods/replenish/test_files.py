"""The policy and assumptions files: what is shipped, what is laid over it, what is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sanhe.core.errors import BadInput
from sanhe.goods.replenish import Assumptions, Policy


def written(folder: Path, text: str) -> Path:
    path = folder / "given.toml"
    path.write_text(text, "utf-8")
    return path


def test_the_shipped_files_load_and_agree_with_the_defaults() -> None:
    assert Policy.load() == Policy()
    assert Assumptions.load().moq == 1


def test_a_policy_file_changes_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [service]
        lowest = 0.9
        [review]
        days = 2
        [review.by_class]
        C = 7
        CX = 3
        [presentation.by_class]
        A = 4
        [budget]
        cents = 500
        [receiving]
        pallets = 12
        [receiving.by_place]
        S01 = 6.5
        [[auto_approval]]
        name = "small"
        classes = ["AX"]
        max_value_cents = 100
    """,
    )
    policy = Policy.load(path)
    assert (policy.lowest_service, policy.highest_service) == (0.9, Policy().highest_service)
    assert [policy.review_days_of(v) for v in ("CX", "CZ", "AX", "")] == [3, 7, 2, 2]
    assert [policy.presentation_of(v) for v in ("AZ", "BX")] == [4, 0]
    assert policy.budget_cents == 500
    assert [policy.pallets_of(place) for place in ("S01", "S02")] == [6.5, 12]
    assert policy.limits_pallets
    assert not Policy().limits_pallets
    assert [rule.labels for rule in policy.auto_approval] == [frozenset({"AX"})]
    assert policy.digest() != Policy().digest()


def test_a_rule_names_classes_by_their_beginning(tmp_path: Path) -> None:
    text = "[[auto_approval]]\nname = 's'\nclasses = ['A', 'BX']\nmax_value_cents = 1"
    (rule,) = Policy.load(written(tmp_path, text)).auto_approval
    assert rule.labels == {"A", "BX"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[servce]\nlowest = 0.9", "unknown table"),
        ("[service]\nlow = 0.9", "its keys are"),
        ("[service]\nlowest = 'much'", "is no number"),
        ("[service]\nlowest = 0.99", "service bounds"),
        ("[review]\ndays = 0", "review days"),
        ("[budget]\ncents = -1", "budget"),
        ("[receiving]\npallets = -1", "pallets below zero"),
        ("[receiving]\nby_place = 3", "by_place is no table"),
        ("[receiving.by_place]\nS01 = 'many'", "is no number"),
        ("[[auto_approval]]\nname = 'x'", "not complete"),
        ("[service", "not a TOML file"),
    ],
)
def test_a_policy_file_that_can_not_be_used_is_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint):
        Policy.load(written(tmp_path, text))


def test_assumptions_are_laid_over_the_shipped_ones(tmp_path: Path) -> None:
    given = Assumptions.load(written(tmp_path, "on_hand_days = 5\nsupplier = 'DC'"))
    assert (given.on_hand_days, given.supplier) == (5, "DC")
    assert given.margin_rate == Assumptions.load().margin_rate


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("on_hand = 5", "unknown assumption"),
        ("moq = 0", "too low"),
        ("margin_rate = 1.0", "no share"),
        ("lead_time_days = 'two'", "is no int"),
        ("lead_time_days = true", "is no int"),
        ("moq = 1.5", "is no int"),
        ("tax_rate = -0.1", "too low"),
    ],
)
def test_assumptions_that_can_not_be_used_are_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint):
        Assumptions.load(written(tmp_path, text))


def test_the_digest_is_the_same_in_every_process(tmp_path: Path) -> None:
    text = "[[auto_approval]]\nname='s'\nclasses=['AX','BX','CX','AY']\nmax_value_cents=1"
    path = written(tmp_path, text)
    code = (
        "from pathlib import Path; from sanhe.goods.replenish import Policy;"
        f" print(Policy.load(Path({str(path)!r})).digest())"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert told == {Policy.load(path).digest()}


def test_no_budget_given_keeps_the_files() -> None:
    assert Policy(budget_cents=7).with_budget(None).budget_cents == 7
    assert Policy(budget_cents=7).with_budget(5).budget_cents == 5


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"nowhere\.toml: no such file"):
        Policy.load(tmp_path / "nowhere.toml")
