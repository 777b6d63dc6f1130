"""A store's day: its tasks by time, shipments, hand-over by code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field, StringConstraints

from sanhe.place.fulfil import ShipmentState
from sanhe.place.orders import Instead
from sanhe.place.tasks import StoreTask, TaskState
from sanhe.web.asked import Closed, Code, Key, Reason, Units, Window, Word
from sanhe.web.caller import Caller, depends
from sanhe.web.told import RecipientTold, ShipmentTold, StateTold, own
from sanhe.wiring import Work, choices_for, finish_task, hand_over_by_code, show_recipient

router = APIRouter(prefix="/store", tags=["store"])
Reads = Annotated[Caller, depends("sales.read")]
Labels = Annotated[Caller, depends("recipients.label")]
Picks = Annotated[Caller, depends("sales.pick")]
Id = Annotated[UUID, Path()]


class TasksAsked(Window):
    """Which tasks: of a place, of kinds, in states (left out = those that wait)."""

    place: Word | None = None
    kind: list[Word] | None = Field(default=None, max_length=20)
    state: list[TaskState] | None = Field(default=None, max_length=4)


class TaskLineTold(BaseModel):
    """Base units of an SKU to deal with; `done` of them were, null = not told yet. `name` and
    `gtin` as the item is described."""

    sku: str
    name: str
    gtin: str | None
    quantity: int
    done: int | None


class TaskTold(BaseModel):
    """A store's task. `subject` names what it is about, e.g. `shipment/ID`."""

    id: UUID
    place: str
    kind: str
    subject: str
    due_at: datetime | None
    state: TaskState
    lines: list[TaskLineTold]
    note: str
    taken_by: str | None
    opened_at: datetime
    closed_at: datetime | None

    @classmethod
    def of(cls, tasks: Sequence[StoreTask], work: Work) -> list[TaskTold]:
        """Tasks as they are told."""
        skus = {line.sku for task in tasks for line in task.lines}
        items = {row["sku"]: row for row in work.catalog.items(skus).to_pylist()} if skus else {}
        return [cls(**_fields(task), lines=_lines(task, items)) for task in tasks]


def _fields(task: StoreTask) -> dict[str, Any]:
    return {name: getattr(task, name) for name in TaskTold.model_fields if name != "lines"}


def _lines(task: StoreTask, items: Mapping[str, Mapping[str, Any]]) -> list[TaskLineTold]:
    return [
        TaskLineTold(
            sku=line.sku,
            name=items.get(line.sku, {}).get("name") or line.sku,
            gtin=items.get(line.sku, {}).get("gtin"),
            quantity=line.quantity,
            done=line.done,
        )
        for line in task.lines
    ]


class TaskRows(BaseModel):
    """Some tasks, the most urgent first, and how many there are; `now` is the server's time, by
    which they are due."""

    rows: list[TaskTold]
    total: int
    now: datetime


class TaskStep(BaseModel):
    """One step of a task's history."""

    at: datetime
    actor: str
    state: TaskState
    note: str


class TaskWhole(TaskTold):
    """A task with its history."""

    history: list[TaskStep]


class TakeEntered(Closed):
    """`over`: take it out of somebody else's hands."""

    over: bool = False


class InsteadEntered(Closed):
    """So many base units of another SKU."""

    sku: Code
    quantity: Units


class DoneEntered(Closed):
    """What was done of each line in base units by SKU; left out = all of every line. A line that
    is missing in it had none.

    `instead`: what was picked in place of all that is missing of an SKU.
    """

    done: dict[Code, Units] | None = Field(default=None, max_length=500)
    instead: dict[Code, InsteadEntered] = Field(default_factory=dict, max_length=50)
    note: Reason = ""


class DropEntered(Closed):
    """Why a task need not be done."""

    note: Reason = Field(min_length=1)


class CodeEntered(Closed):
    """The code that the shopper shows."""

    code: Annotated[str, StringConstraints(pattern=r"^[0-9]{6,12}$")]


class ChoiceTold(BaseModel):
    """An SKU that can stand in for another; `available` base units of it lie there."""

    sku: str
    name: str
    price_cents: int
    per_units: int
    available: int


class ChoicesTold(BaseModel):
    """What can stand in for an SKU, the nearest in price first. `wanted` is false where the
    shopper takes nothing else instead."""

    wanted: bool
    rows: list[ChoiceTold]


class TaskEnded(BaseModel):
    """Where a task stands after it was finished."""

    id: UUID
    state: TaskState


class ShipmentRows(BaseModel):
    """Some shipments, and how many there are."""

    rows: list[ShipmentTold]
    total: int


class LabelTold(BaseModel):
    """What the label of a parcel says (面单): numbers of its order and shipment, and where to."""

    order: int
    shipment: int
    recipient: RecipientTold


class ShipmentsAsked(Window):
    """Which shipments: of a place, in states."""

    place: Word | None = None
    state: list[ShipmentState] | None = Field(default=None, max_length=10)


@router.get("/tasks")
def read_tasks(asked: Annotated[TasksAsked, Query()], caller: Reads) -> TaskRows:
    """The tasks of the places that the caller sees, the most urgent first."""
    with caller.work() as work:
        states = {} if asked.state is None else {"states": asked.state}
        found, total = work.tasks.page(
            place=asked.place, kinds=asked.kind, offset=asked.offset, limit=asked.limit, **states
        )
        rows = TaskTold.of(found, work)
    return TaskRows(rows=rows, total=total, now=caller.sanhe.clock.now())


@router.get("/tasks/{task}")
def read_task(task: Id, caller: Reads) -> TaskWhole:
    """One task with its history."""
    with caller.work() as work:
        (found,) = TaskTold.of([work.tasks.get(task)], work)
        history = work.tasks.history(task)
    steps = [TaskStep.model_validate(step, from_attributes=True) for step in history]
    return TaskWhole(**found.model_dump(), history=steps)


@router.get("/tasks/{task}/choices")
def read_choices(task: Id, sku: Annotated[Code, Query()], caller: Picks) -> ChoicesTold:
    """What could be picked instead of an SKU of a pick task."""
    with caller.work() as work:
        found = choices_for(work, task, sku)
    rows = [ChoiceTold(**own(one, ChoiceTold)) for one in found or ()]
    return ChoicesTold(wanted=found is not None, rows=rows)


@router.post("/tasks/{task}/take")
def take_task(task: Id, entered: TakeEntered, caller: Picks) -> TaskTold:
    """Take a task into one's own hands; again changes nothing."""
    with caller.work() as work:
        return TaskTold.of([work.tasks.take(task, over=entered.over)], work)[0]


@router.post("/tasks/{task}/finish")
def finish(task: Id, entered: DoneEntered, *, key: Key, caller: Picks) -> TaskEnded:
    """Say what was done. What is picked is ready to be fetched. What was not there is replaced,
    where the shopper takes something like it; else it comes from the next best place, or the
    money goes back."""
    told = finish_task(
        caller.sanhe,
        task,
        done=entered.done,
        instead={sku: Instead(one.sku, one.quantity) for sku, one in entered.instead.items()},
        note=entered.note,
        key=key,
        by=caller.by,
    )
    return TaskEnded.model_validate(told)


@router.post("/tasks/{task}/drop")
def drop_task(task: Id, entered: DropEntered, caller: Picks) -> TaskTold:
    """Close a task that need not be done, saying why."""
    with caller.work() as work:
        return TaskTold.of([work.tasks.drop(task, note=entered.note)], work)[0]


@router.get("/shipments")
def read_shipments(asked: Annotated[ShipmentsAsked, Query()], caller: Reads) -> ShipmentRows:
    """The shipments of the places that the caller sees, the newest first."""
    with caller.work() as work:
        found, total = work.fulfil.page(
            place=asked.place, states=asked.state, offset=asked.offset, limit=asked.limit
        )
        bookings = work.bookings.of([one.id for one in found])
    return ShipmentRows(rows=[ShipmentTold.of(one, bookings) for one in found], total=total)


@router.get("/shipments/{shipment}")
def read_shipment(shipment: Id, caller: Reads) -> ShipmentTold:
    """One shipment with the couriers that were asked."""
    with caller.work() as work:
        found = work.fulfil.get(shipment)
        return ShipmentTold.of(found, work.bookings.of([shipment]))


@router.get("/shipments/{shipment}/label")
def read_label(shipment: Id, caller: Labels) -> LabelTold:
    """Who a parcel goes to, for its label, while it is here; it leaves an entry in the trail."""
    with caller.work() as work:
        found = work.fulfil.get(shipment)
        order = work.orders.get(found.order_id)
    to = show_recipient(caller.sanhe, order.id, any_time=False, by=caller.by)
    recipient = RecipientTold.of(to)
    return LabelTold(order=order.number, shipment=found.number, recipient=recipient)


@router.post("/shipments/{shipment}/hand-over")
def hand_over(shipment: Id, entered: CodeEntered, *, key: Key, caller: Picks) -> StateTold:
    """Give it to the shopper who shows its code. A wrong one is counted: 403, and 429 after
    several."""
    told = hand_over_by_code(caller.sanhe, shipment, entered.code, key=key, by=caller.by)
    return StateTold.model_validate(told)
