"""What a class steers: the longest label of the policy that a line's label begins with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sanhe.core.clock import FixedClock
from sanhe.core.decisions import MemoryDecisions
from sanhe.core.errors import BadInput
from sanhe.goods.replenish import Policy, Replenish
from sanhe.goods.replenish.classes import LETTERS, check_class, class_rule
from sanhe.models.inventory import UnitCosts, critical_ratio
from tests.goods.replenish.test_files import written
from tests.goods.replenish.test_replenish import DECISION_KIND, FORECAST, MORNING, known

LABELS = st.tuples(*(st.sampled_from(letters) for letters in LETTERS)).map("".join)


def test_the_longest_beginning_of_a_label_counts() -> None:
    listed = {"A": 1, "AX": 2, "AXH": 3}
    assert class_rule(listed, "AXH1") == "AXH"
    assert class_rule(listed, "AXL1") == "AX"
    assert class_rule(listed, "AZH1") == "A"
    assert class_rule(listed, "BXH1") is None
    assert class_rule(listed, "") is None


@given(LABELS, st.integers(1, 4))
def test_every_beginning_of_a_label_is_a_class_and_finds_it(label: str, length: int) -> None:
    check_class(label[:length], place="here")
    assert class_rule({label[:length]}, label) == label[:length]


@pytest.mark.parametrize("name", ["", "D", "XA", "AXH9", "AXH11", "ax"])
def test_what_is_no_class_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="no class"):
        check_class(name, place="here")


BY_CLASS = """
[service.by_class]
C = { highest = 0.90 }
CZ = { lowest = 0.50 }
[review.by_class]
CZ = 14
CZL = 28
"""


def test_service_and_review_go_by_class(tmp_path: Path) -> None:
    policy = Policy.load(written(tmp_path, BY_CLASS))
    assert policy.service_of("CZM3") == (0.50, 0.90)
    assert policy.service_of("CXM3") == (Policy().lowest_service, 0.90)
    assert policy.service_of("AXH1") == (Policy().lowest_service, Policy().highest_service)
    assert [policy.review_days_of(v) for v in ("CZL4", "CZM1", "CX")] == [28, 14, 1]
    assert policy.class_rules("CZL4") == {
        "review.days": "CZL",
        "service.lowest": "CZ",
        "service.highest": "C",
    }
    assert policy.class_rules("AXH1") == {}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[service.by_class]\nC = 0.9", "not understood"),
        ("[service.by_class]\nC = { most = 0.9 }", "not understood"),
        ("[service]\nby_class = 3", "not understood"),
        ("[service.by_class]\nC = { lowest = 0.99 }", "service bounds"),
        ("[service.by_class]\nC = {highest = 0.85}\nCZ = {lowest = 0.9}", "service bounds"),
        ("[review.by_class]\nK = 7", "no class"),
        ("[review.by_class]\nC = 0", "review days"),
        ("[[auto_approval]]\nname='s'\nclasses=['Q']\nmax_value_cents=1", "no class"),
    ],
)
def test_rules_by_class_that_can_not_be_used_are_refused(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(BadInput, match=complaint):
        Policy.load(written(tmp_path, text))


def test_a_variant_changes_one_class_alone(tmp_path: Path) -> None:
    before = Policy.load(written(tmp_path, BY_CLASS))
    after = before.with_class("C", review_days=7, lowest=0.6, highest=0.85, presentation_units=2)
    assert (after.review_days_of("CX"), after.review_days_of("CZM1")) == (7, 14)
    assert after.service_of("CXM1") == (0.6, 0.85)
    assert after.presentation_of("CXM1") == 2
    assert after.review_days_of("AX") == before.review_days_of("AX")
    assert before.review_days_of("CX") == 1, "the policy itself is left as it was"
    assert after.digest() != before.digest()
    assert before.with_class("CZ") == before
    with pytest.raises(BadInput, match="no class"):
        before.with_class("Q", review_days=7)
    with pytest.raises(BadInput, match="review days"):
        before.with_class("C", review_days=0)


def test_service_bounds_may_differ_from_line_to_line() -> None:
    costs = UnitCosts(*(np.array(values) for values in ([3.0, 3.0], [1.0, 1.0], [0.0, 0.0])))
    bounds = (np.array([0.0, 0.8]), np.array([0.7, 0.9]))
    assert critical_ratio(costs, lowest=bounds[0], highest=bounds[1]).tolist() == [0.7, 0.8]
    with pytest.raises(ValueError, match="in order"):
        critical_ratio(costs, lowest=bounds[1], highest=bounds[0])


def test_a_proposal_says_which_class_steered_it() -> None:
    policy = Policy().with_class("CZ", review_days=3, highest=0.85, presentation_units=5)
    classes = pa.table({"sku": ["A", "B"], "place": ["S1", "S1"], "label": ["AXH1", "CZL2"]})
    own = pa.table({"sku": ["B"], "place": ["S1"], "units": [9]})
    clock = FixedClock(MORNING)
    decisions = MemoryDecisions(clock)
    decisions.register(DECISION_KIND)
    replenish = Replenish(decisions, clock, policy=policy)
    at_hand = known(classes=classes)
    a, b = (replenish.explain_line(FORECAST, at_hand, sku=sku, place="S1") for sku in "AB")
    assert (a.inputs["class_rules"], a.inputs["review_days"]) == ({}, 1)
    rules = {"review.days": "CZ", "service.highest": "CZ", "presentation.units": "CZ"}
    assert (b.inputs["class_rules"], b.inputs["review_days"]) == (rules, 3)
    level = b.inputs["service_level"]
    assert isinstance(level, float) and level <= 0.85
    shelf = replenish.explain_line(
        FORECAST, known(classes=classes, presentation=own), sku="B", place="S1"
    )
    assert shelf.inputs["presentation_units"] == 9
    assert shelf.inputs["class_rules"] == {"review.days": "CZ", "service.highest": "CZ"}
