"""The order policy as it stands; it is changed in its file."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel

from sanhe.goods.replenish import settings_of
from sanhe.web.caller import Caller, depends_everywhere

router = APIRouter(tags=["policy"])


class PolicySetting(BaseModel):
    """A number of the policy; see `goods.replenish.Setting`."""

    name: str
    unit: str
    value: float | None
    exceptions: dict[str, float]


class PolicyRule(BaseModel):
    """A rule that approves proposals of a kind by itself; no classes = all."""

    name: str
    kind: str
    classes: list[str]
    max_value_cents: int


class PolicyTold(BaseModel):
    """The policy that holds wherever none is named. `file`: None = as shipped with sanhe."""

    file: str | None
    settings: list[PolicySetting]
    rules: list[PolicyRule]


@router.get("/policy")
def read_policy(caller: Annotated[Caller, depends_everywhere("policy.change")]) -> PolicyTold:
    """The settings and rules of the order policy, and the file they are changed in."""
    sanhe = caller.sanhe
    policy, file = sanhe.policy(), sanhe.settings.policy
    return PolicyTold(
        file=None if file is None else str(file),
        settings=[
            PolicySetting.model_validate(one, from_attributes=True) for one in settings_of(policy)
        ],
        rules=[
            PolicyRule(
                name=rule.name,
                kind=rule.kind,
                classes=sorted(rule.labels),
                max_value_cents=rule.max_value_cents,
            )
            for rule in policy.auto_approval
        ],
    )
