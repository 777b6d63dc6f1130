"""The façade: personal data sealed, opened and erased within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sanhe.core.audit import Audit
from sanhe.core.errors import Code, NotFound, TooMany
from sanhe.core.persons import sealing, store
from sanhe.core.persons.master import KeyAway, Master, MasterKeys
from sanhe.core.persons.sealing import Given, PersonKey, WrappedKey
from sanhe.core.storage import Database, Transaction

ACTOR = "key"
_TRIES = 5


class Persons:
    """Seals with a key per person, which is made when it is first needed.

    It needs to see everything: a transaction of a narrower scope finds no key.
    """

    def __init__(self, tx: Transaction, audit: Audit, *, master: MasterKeys) -> None:
        self._tx, self._audit, self._master = tx, audit, master

    def seal(self, person: str, field: str, text: str) -> bytes:
        """The text, to be opened for this person and field alone. Raises KeyAway."""
        return self.seal_each([Given(person, field, text)])[0]

    def seal_each(self, given: Sequence[Given]) -> list[bytes]:
        """Many texts at once; until the transaction ends nobody destroys their keys."""
        if not given:
            return []
        keys = self._held({one.person for one in given})
        return [sealing.seal(keys[one.person], one.field, one.text) for one in given]

    def open(self, person: str, field: str, sealed: bytes) -> str:
        """The text. Raises NotFound with the code `erased` once the person's key is destroyed,
        KeyAway where a key is missing, Tampered for other bytes, another field or person."""
        key = sealing.key_of(sealed)
        kept = store.read(self._tx, key)
        if kept is None:
            if store.is_erased(self._tx, key):
                raise NotFound("this was erased, for good", code=Code.ERASED)
            raise KeyAway(f"key {key} is not here: load the keys that were saved last")
        # Also a key of somebody else's opens nothing: the person is bound to what is sealed.
        found = self._unwrapped([replace(kept, person=person)])[person]
        return sealing.open_sealed(found, field, sealed)

    def hold(self, person: str) -> bool:
        """Let nobody seal for a person until the transaction ends; whether anything was sealed."""
        return store.hold_alone(self._tx, person)

    def erase(self, person: str, reason: str) -> bool:
        """Destroy a person's keys, for good; False when there are none, as after the first time.

        What was sealed before says `erased` from now on, in every copy and backup of the data.
        """
        erased = store.erase(self._tx, person)
        if erased:
            self._audit.record("person erased", person, {"reason": reason})
        return bool(erased)

    def mark(self, text: str) -> str:
        """What tells this text from others and says nothing about it. Raises KeyAway."""
        return self._first().mark(text)

    def masters(self) -> dict[str, int]:
        """How many keys each master key wraps, by its id."""
        return store.masters(self._tx)

    def _held(self, persons: Collection[str]) -> dict[str, PersonKey]:
        """A current key for each, held; new ones where there are none."""
        made: dict[str, PersonKey] = {}
        for _ in range(_TRIES):
            missing = sorted(persons - made.keys())
            kept = store.hold(self._tx, missing)
            made |= self._unwrapped(list(kept.values()))
            missing = [person for person in missing if person not in kept]
            if not missing:
                return made
            made |= self._made(missing)
        # Each time somebody else's key came first and was destroyed at once.
        raise TooMany("others change the same persons: ask again", retry_after_seconds=1)

    def _made(self, persons: Sequence[str]) -> dict[str, PersonKey]:
        """New keys, without those that somebody else has made meanwhile."""
        store.share_making(self._tx)
        master = self._first()
        keys = [sealing.new_key(person) for person in persons]
        wrapped = [
            WrappedKey(key.id, key.person, sealing.wrap(key, master.secret), master.id)
            for key in keys
        ]
        added = store.add(self._tx, wrapped)
        return {key.person: key for key in keys if key.id in added}

    def _first(self) -> Master:
        """The master key that wraps; made where nothing was ever sealed here."""
        if not self._master.file.exists() and not store.has_keys(self._tx):
            self._master.make_first()
        return self._master.read()[0]

    def _unwrapped(self, kept: Sequence[WrappedKey]) -> dict[str, PersonKey]:
        masters = {name: self._master.of(name) for name in {key.master for key in kept}}
        return {key.person: sealing.unwrap(key, masters[key.master].secret) for key in kept}


def rotate(database: Database, master: MasterKeys) -> int:
    """Wrap all keys with a new master key and forget the ones before; how many keys.

    What is sealed stays as it is, and work goes on meanwhile. One that was cut is made up for by
    the next. Raises KeyAway.
    """
    with database.transaction(actor=ACTOR) as tx:
        store.stop_making(tx)
        if not master.file.exists() and not store.has_keys(tx):
            master.make_first()
        new = master.begin_rotation()
    count = 0
    while True:
        with database.transaction(actor=ACTOR) as tx:
            others = store.read_others(tx, new.id)
            keys = [(one, sealing.unwrap(one, master.of(one.master).secret)) for one in others]
            store.rewrap(
                tx,
                [
                    replace(one, wrapped=sealing.wrap(key, new.secret), master=new.id)
                    for one, key in keys
                ],
            )
        count += len(others)
        if not others:
            break
    master.end_rotation()
    return count
