"""The policy of sourcing and the delivery fee stand in one file, read with care."""

from __future__ import annotations

from datetime import time
from pathlib import Path

import pytest

from sanhe.core.errors import BadInput
from sanhe.place.sourcing import DeliveryFee, Policy


def test_the_shipped_file_is_what_holds_without_one() -> None:
    assert Policy.load() == Policy()


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(
        "[fee]\ncents = 600\nfree_from_cents = 9900\n"
        '[sourcing]\ndetour = 1.5\nday_ends = "21:30"\npickup_metres = 800\n',
        encoding="utf-8",
    )
    fee = DeliveryFee(600, 9_900)
    wanted = Policy(detour=1.5, day_ends=time(21, 30), pickup_metres=800, fee=fee)
    assert Policy.load(path) == wanted
    assert [fee.of(goods) for goods in (0, 9_899, 9_900)] == [600, 600, 0]
    assert DeliveryFee(600).of(10**9) == 600


@pytest.mark.parametrize(
    ("text", "place", "remedy"),
    [
        ("[fee]\ncents = -1", "[fee] cents", "give 0 to"),
        ("[fee]\nfree_from_cents = 1.5", "[fee] free_from_cents", "give 0 to"),
        ("[fee]\ncent = 5", "[fee] cent", "docs/guide/service.md"),
        ("[sourcing]\ndetour = 0.9", "[sourcing] detour", "give 1 to 10"),
        ("[sourcing]\nscarcity = true", "[sourcing] scarcity", "give 0 to 10"),
        ("[sourcing]\ndoor_minutes = nan", "[sourcing] door_minutes", "give 0 to 240"),
        ('[sourcing]\nday_ends = "late"', "[sourcing] day_ends", "22:00"),
        ('[sourcing]\nday_ends = "22:00+08:00"', "[sourcing] day_ends", "local time"),
        ("[fees]\ncents = 5", "fees", "docs/guide/service.md"),
        ("fee = 5", "fee", "write [fee]"),
        ("[fee", "ours.toml", "SANHE_DELIVERY"),
    ],
)
def test_what_cannot_be_used_is_refused_with_place_and_remedy(
    tmp_path: Path, text: str, place: str, remedy: str
) -> None:
    path = tmp_path / "ours.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as raised:
        Policy.load(path)
    assert place in str(raised.value.place) and str(path) in str(raised.value.place)
    assert remedy in (raised.value.remedy or "")
