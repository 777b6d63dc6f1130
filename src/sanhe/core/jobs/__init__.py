"""Jobs and the outbox: work to be done later, and what leaves the system (ground of all).

Input: tasks by name with JSON arguments, messages by topic and key, both written in the
transaction that caused them. Output: tasks run after the commit (Temporary is tried again after
its delay, any other error fails), messages delivered at least once. The queue is procrastinate's,
in the same PostgreSQL; `MemoryJobs` and `MemoryOutbox` keep both in memory.
"""

from sanhe.core.jobs.delivery import deliver
from sanhe.core.jobs.memory import MemoryJobs, MemoryOutbox
from sanhe.core.jobs.ports import Jobs, JobsRun, Message, Outbox, Receiver, Task
from sanhe.core.jobs.rules import MOST_ATTEMPTS
from sanhe.core.jobs.store import PostgresJobs, PostgresOutbox
from sanhe.core.jobs.work import run_worker

__all__ = [
    "MOST_ATTEMPTS",
    "Jobs",
    "JobsRun",
    "MemoryJobs",
    "MemoryOutbox",
    "Message",
    "Outbox",
    "PostgresJobs",
    "PostgresOutbox",
    "Receiver",
    "Task",
    "deliver",
    "run_worker",
]
