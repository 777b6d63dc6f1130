"""Cut lines in small: one effect and one answer for each command; without keys there are more."""

from __future__ import annotations

from bench.cut_lines import shopped_over
from bench.race_world import opened_world
from sanhe.core.settings import Settings


def test_a_command_over_cut_lines_takes_effect_once(database_settings: Settings) -> None:
    with opened_world(database_settings) as world:
        found = shopped_over(world, 300, keeps_keys=True, seed=1)
        control = shopped_over(world, 150, keeps_keys=False, seed=1)
    names = ("duplicate_effects", "missing_effects", "contradictory_answers", "refused", "inexact")
    assert {name: found[name] for name in names} == dict.fromkeys(names, 0)
    assert found["requests"] >= 300 and found["disturbed_share"] > 0.25
    assert control["duplicate_effects"] > 0
