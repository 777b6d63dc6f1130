"""The policy told: every number of its file, under the name it has there."""

from __future__ import annotations

from pathlib import Path

from sanhe.goods.replenish import Policy, settings_of
from sanhe.goods.replenish import policy as policy_file

NO_NUMBERS = {"by_class", "by_place", "groups", "within", "full_cases"}


def test_every_number_of_the_file_is_told() -> None:
    keys = {
        f"{table}.{key}"
        for table, keys in policy_file._KEYS.items()
        for key in keys
        if key not in NO_NUMBERS
    }
    assert {one.name for one in settings_of(Policy())} == keys


def test_limits_that_are_not_set_have_no_value(tmp_path: Path) -> None:
    told = {one.name: one for one in settings_of(Policy.load())}
    unset = {name for name, one in told.items() if one.value is None}
    assert unset == {"budget.cents", "receiving.pallets", "transfers.cents_per_line"}
    file = tmp_path / "ours.toml"
    file.write_text(
        "[review.by_class]\nC = 7\n[receiving.by_place]\nS01 = 6\n[budget]\ncents = 500\n",
        encoding="utf-8",
    )
    ours = {one.name: one for one in settings_of(Policy.load(file))}
    assert ours["review.days"].exceptions == {"C": 7}
    assert ours["receiving.pallets"].exceptions == {"S01": 6}
    assert ours["budget.cents"].value == 500
