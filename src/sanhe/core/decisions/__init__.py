"""Decisions: one record for all that is decided, from proposal to measured effect (all systems).

Input: proposals whose terms add up to their value. Decision: approve, edit with reason, reject,
snooze, or a rule that approves by class and money at stake; at most one is open for a subject.
Output: what to execute, what was done, and what it was measured to have done, each step with who
and why. `PostgresDecisions` keeps them in a transaction, `MemoryDecisions` in memory.
"""

from sanhe.core.decisions.columns import proposals_of
from sanhe.core.decisions.memory import MemoryDecisions
from sanhe.core.decisions.ports import (
    OPEN,
    AutoApproval,
    Decision,
    DecisionKind,
    Decisions,
    Effect,
    Event,
    ListedDecision,
    Proposal,
    ProposalTable,
    Proposed,
    Ruling,
    Status,
    Subject,
)
from sanhe.core.decisions.rules import AWAKE, OVER, may_still, ruling
from sanhe.core.decisions.store import PostgresDecisions

__all__ = [
    "AWAKE",
    "OPEN",
    "OVER",
    "AutoApproval",
    "Decision",
    "DecisionKind",
    "Decisions",
    "Effect",
    "Event",
    "ListedDecision",
    "MemoryDecisions",
    "PostgresDecisions",
    "Proposal",
    "ProposalTable",
    "Proposed",
    "Ruling",
    "Status",
    "Subject",
    "may_still",
    "proposals_of",
    "ruling",
]
