"""What a call and its answer are, and how an answer is kept."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from sanhe.core.errors import BadInput, Code, Conflict, NotFound, SanheError, Shortage
from sanhe.core.values import Json

KEPT_FOR: Final = timedelta(days=14)
"""How long an answer is kept; after that the same key is a new command."""

_LONGEST_KEY: Final = 200
_KINDS: Final[Mapping[str, type[SanheError]]] = {
    kind.__name__: kind for kind in (BadInput, NotFound, Conflict, Shortage)
}
"""Refusals that are answers: asking again in the same way can't help. All others, such as a
database that is away or too many at once, undo the whole command, and its key is free again."""


@dataclass(frozen=True, slots=True)
class Call:
    """A command called `name` by `actor` under their idempotency key, and what it asks for."""

    actor: str
    name: str
    key: str
    body: Json

    @property
    def digest(self) -> bytes:
        """SHA-256 of the body as JSON with sorted keys: tells it from another body."""
        return hashlib.sha256(_text(self.body).encode()).digest()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command came to: a value, or a refusal."""

    value: Json = None
    refusal: SanheError | None = None

    def result(self) -> Json:
        """The value; raises the refusal. Call it after the transaction, which else undoes both."""
        if self.refusal is not None:
            raise self.refusal
        return self.value


def check_call(call: Call) -> None:
    """Raise BadInput for a key that can't be."""
    if not 1 <= len(call.key) <= _LONGEST_KEY or not call.key.isprintable():
        raise BadInput(
            f"the key has {len(call.key)} characters",
            place="idempotency key",
            remedy=f"give 1 to {_LONGEST_KEY} printable ones, such as a UUID made for this command",
        )


def is_answer(refusal: SanheError) -> bool:
    """Whether asking again would be refused in the same way, so that the refusal is kept."""
    return isinstance(refusal, tuple(_KINDS.values()))


def other_body(call: Call) -> Answer:
    """The answer to a known key with another body."""
    return Answer(
        refusal=Conflict(
            f"the key {call.key!r} was used for another {call.name}: use a new key",
            code=Code.KEY_REUSED,
        )
    )


def written(answer: Answer) -> str:
    """The answer as it is kept, JSON."""
    refusal = answer.refusal
    if refusal is None:
        return _text({"value": answer.value})
    kind = next(name for name, kind in _KINDS.items() if isinstance(refusal, kind))
    told: dict[str, Json] = {"kind": kind, "what": str(refusal), "code": refusal.code.value}
    if isinstance(refusal, BadInput):
        told |= {"what": refusal.what, "place": refusal.place, "remedy": refusal.remedy}
    return _text({"refusal": told})


def read(text: str) -> Answer:
    """The answer that was kept; the inverse of `written`."""
    kept: dict[str, Any] = json.loads(text)
    told = kept.get("refusal")
    if told is None:
        return Answer(kept["value"])
    kind, code = _KINDS[told.pop("kind")], Code(told.pop("code"))
    return Answer(refusal=kind(told.pop("what"), **told, code=code))


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
