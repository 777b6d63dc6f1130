"""Promotions that were approved are published, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.people.promotions import PUBLISHING

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe


def publish_approved(sanhe: Sanhe, *, actor: str) -> list[str]:
    """Publish what was decided, one after the other; the promotions published.

    One that does not fit by now, as another was published first or it was saved again, fails by
    name, and the others go on.
    """
    published: list[str] = []
    while True:
        refused = ""
        with sanhe.work(actor=actor) as work:
            work.decisions.exclusive(PUBLISHING)
            decisions = work.decisions.start(PUBLISHING, limit=1)
            if not decisions:
                return published
            (decision,) = decisions
            name = decision.proposal.subject.party or ""
            try:
                version = work.promotions.publish(name, decision=decision)
            except (BadInput, Conflict, NotFound) as error:
                refused = str(error)
                work.decisions.failed(decision.number, reason=refused)
                continue
            work.decisions.executed({decision.number: [f"{name} version {version}"]})
            told = {"version": version, "decision": decision.number}
            work.audit.record("promotion published", f"promotion {name}", told)
        published.append(name)
