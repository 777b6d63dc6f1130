"""Delivering the outbox: each message at least once, in order, one transaction for each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

from sanhe.core.jobs.ports import Outbox, Receiver


def deliver(
    open_outbox: Callable[[], AbstractContextManager[Outbox]], topic: str, receiver: Receiver
) -> int:
    """Hand a topic's pending messages to the receiver, until none is left; returns how many.

    `open_outbox` opens a unit of work that commits at its end. A message is marked in the unit
    of work that hands it over: a crash between both delivers it again, under the same key. An
    error of the receiver leaves its message pending and is passed on; those before it stay
    delivered.
    """
    count = 0
    while True:
        with open_outbox() as outbox:
            messages = outbox.pending(topic, limit=1)
            for message in messages:
                receiver(message)
                outbox.delivered(message.id)
        if not messages:
            return count
        count += len(messages)
