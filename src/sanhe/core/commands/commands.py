"""Commands within one transaction: each takes effect once, whoever sends it how often."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sanhe.core.commands import rules, store
from sanhe.core.commands.rules import KEPT_FOR, Answer, Call
from sanhe.core.errors import SanheError
from sanhe.core.storage import Transaction
from sanhe.core.values import Json


class Commands:
    """Keeps keys and answers in the transaction of the effects."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    def once(self, name: str, key: str, *, body: Json, run: Callable[[], Json]) -> Answer:
        """Carry out the command called `name`, or give the answer that its key had before.

        The key belongs to the transaction's actor and the name. A twin waits until this
        transaction ends. What `run` refuses (BadInput, NotFound, Conflict, Shortage) is undone
        and kept as the answer; any other error is raised, and the key is free again. The same
        key with another body is answered with a Conflict. Raises BadInput for no proper key.

        Take the answer's `result()` after the transaction has committed: what is raised within
        it undoes the answer too.
        """

        def carry_out(_: Sequence[Call]) -> list[Answer]:
            savepoint = self._tx.connection.begin_nested()
            try:
                answer = Answer(run())
            except SanheError as error:
                savepoint.rollback()
                return [Answer(refusal=error)]
            savepoint.commit()
            return [answer]

        return self.once_each([Call(self._tx.actor, name, key, body)], carry_out)[0]

    def once_each(
        self, calls: Sequence[Call], run: Callable[[Sequence[Call]], Sequence[Answer]]
    ) -> list[Answer]:
        """The answers to many calls, each as by `once`, in their order.

        `run` gets the calls that are new, in order and once each, and tells their answers; it
        undoes by itself what it refuses. Whatever it raises undoes all of them, and so does a
        refusal that is no answer.
        """
        for call in calls:
            rules.check_call(call)
        bodies = [call.digest for call in calls]
        first: dict[store.Key, int] = {}
        for place, call in enumerate(calls):
            first.setdefault(_key(call), place)
        if not first:
            return []
        taken = store.take(self._tx, {key: bodies[place] for key, place in first.items()})
        found = {}
        if len(taken) < len(first):
            kept = store.read_known(self._tx, first.keys() - taken)
            found = {key: (body, rules.read(text)) for key, (body, text) in kept.items()}
        if taken:
            fresh = {key: place for key, place in first.items() if key in taken}
            answers = run([calls[place] for place in fresh.values()])
            for answer in answers:
                if answer.refusal is not None and not rules.is_answer(answer.refusal):
                    raise answer.refusal
            texts = dict(zip(fresh, map(rules.written, answers), strict=True))
            store.answer(self._tx, texts)
            # Read from what is kept, so that the first asker gets no other than the later ones.
            for key, text in texts.items():
                found[key] = bodies[fresh[key]], rules.read(text)
        return [
            _alike(call, body, found[_key(call)]) for call, body in zip(calls, bodies, strict=True)
        ]

    def forget(self) -> int:
        """Delete the answers that are older than `KEPT_FOR`; returns how many."""
        return store.forget(self._tx, self._tx.clock.now() - KEPT_FOR)


def _key(call: Call) -> store.Key:
    return (call.actor, call.name, call.key)


def _alike(call: Call, body: bytes, kept: tuple[bytes, Answer]) -> Answer:
    """The kept answer, if it is one to the same body."""
    return kept[1] if kept[0] == body else rules.other_body(call)
