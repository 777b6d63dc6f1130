"""Store tasks (门店任务): what somebody in a store is to do, until it is done or dropped.

Systems: S30, S35.

Inputs: tasks that other capabilities open (pick this order, count this shelf, settle this
difference), and what people in the store say of them. Decides nothing. Outputs: the list of each
place by due time, who does what, and an append-only history. Of one kind and subject a place has
one open task: to open it again gives that one.
"""

from sanhe.place.tasks.rules import (
    KINDS,
    NewTask,
    StoreTask,
    TaskEvent,
    TaskKind,
    TaskLine,
    TaskState,
)
from sanhe.place.tasks.tasks import Tasks

__all__ = [
    "KINDS",
    "NewTask",
    "StoreTask",
    "TaskEvent",
    "TaskKind",
    "TaskLine",
    "TaskState",
    "Tasks",
]
