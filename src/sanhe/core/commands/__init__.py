"""Commands that take effect once (幂等): whoever asks again gets the first answer.

Input: an idempotency key (幂等键) that the caller chose, and what is asked. The key is written
first, in the transaction of the effect, so that a twin waits for it: there is one effect and one
answer, refusals included. `Lane` carries out many in one transaction, for a rush on the same rows;
`Rush` tells where there is one.
"""

from sanhe.core.commands.commands import Commands
from sanhe.core.commands.lane import Lane, Rush
from sanhe.core.commands.rules import KEPT_FOR, Answer, Call

__all__ = ["KEPT_FOR", "Answer", "Call", "Commands", "Lane", "Rush"]
