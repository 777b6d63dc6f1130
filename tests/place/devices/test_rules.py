"""The protocol of tills: what is taken is the chain, whatever is sent, how often, in what order."""

from __future__ import annotations

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from sanhe.core.errors import BadInput
from sanhe.place.devices import Head, Reason, SignedEvent, event_hash, genesis, public_key_of
from sanhe.place.devices.rules import MOST_PAYLOAD, Taken, read, read_event, take
from tests.place.devices.till import Till, signed

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))


def sold(count: int = 6) -> Till:
    till = Till(key=KEY)
    for _ in range(count):
        till.sell()
    return till


def deliver(till: Till, events: list[SignedEvent], taken: list[bytes]) -> Taken:
    """What a server decides that has taken these hashes."""
    head = Head(len(taken), taken[-1] if taken else genesis(till.public_key))
    known = dict(enumerate(taken, start=1))
    return take(read(events, till.name), head, known, public_key=till.public_key)


TILL = sold()
HASHES = [event_hash(event.payload) for event in TILL.events]


@settings(max_examples=200, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5), max_size=8), max_size=6))
def test_any_deliveries_take_the_longest_chain_from_the_start(deliveries: list[list[int]]) -> None:
    taken: list[bytes] = []
    for delivery in deliveries:
        before = len(taken)
        decided = deliver(TILL, [TILL.events[at] for at in delivery], taken)
        taken += [event.hash for event in decided.accepted]
        reached = before
        while reached in delivery:
            reached += 1
        assert taken == HASHES[:reached]
        assert decided.head.sequence == reached
        assert (decided.refusal is None) == all(at < reached for at in delivery)
        if decided.refusal is not None:
            assert (decided.refusal.reason, decided.refusal.sequence) == (Reason.HOLE, reached + 1)
        again = sum(1 for at in delivery if at < reached) - (reached - before)
        assert decided.duplicates == again


def forged(event: SignedEvent) -> SignedEvent:
    return signed(OTHER, event.payload)


def changed(event: SignedEvent) -> SignedEvent:
    return SignedEvent(event.payload.replace('"quantity":1', '"quantity":9'), event.signature)


def cut(event: SignedEvent) -> SignedEvent:
    return SignedEvent(event.payload[:-1], event.signature)


def flipped(event: SignedEvent) -> SignedEvent:
    return SignedEvent(event.payload, bytes([event.signature[0] ^ 1]) + event.signature[1:])


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 6),
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([None, forged, changed, cut, flipped])),
        max_size=10,
    ),
)
def test_junk_never_changes_what_is_taken(reached: int, delivery: list[tuple[int, object]]) -> None:
    sent = [TILL.events[at] if spoil is None else spoil(TILL.events[at]) for at, spoil in delivery]  # type: ignore[operator]
    genuine = [TILL.events[at] for at, spoil in delivery if spoil is None]
    decided = deliver(TILL, sent, HASHES[:reached])
    assert decided.accepted == deliver(TILL, genuine, HASHES[:reached]).accepted
    assert decided.forked == ()
    # A known event is known by its hash: of a position already taken no signature is asked again.
    told = [spoil for at, spoil in delivery if spoil in (changed, cut)]
    if any(spoil is cut for spoil in told):
        assert decided.refusal is not None and decided.refusal.reason is Reason.MALFORMED


def test_an_event_of_another_key_is_tampered() -> None:
    decided = deliver(TILL, [TILL.events[0], forged(TILL.events[1]), TILL.events[2]], [])
    assert [event.sequence for event in decided.accepted] == [1]
    assert decided.refusal is not None
    assert (decided.refusal.reason, decided.refusal.sequence) == (Reason.TAMPERED, 2)


@pytest.mark.parametrize("after", range(1, 6))
def test_a_clone_is_found_by_the_first_event_it_does_not_share(after: int) -> None:
    """The two part after `after` events; one of them has been taken whole, the other comes."""
    clone = sold(after).clone()
    for _ in range(3):
        clone.sell("B")
    decided = deliver(TILL, clone.events, HASHES)
    assert decided.accepted == ()
    assert decided.refusal is not None and decided.refusal.reason is Reason.FORK
    if after < len(HASHES):
        assert decided.refusal.sequence == after + 1
    assert [event.sequence for event in decided.forked] == [decided.refusal.sequence]


def test_a_clone_that_went_further_is_found_by_its_predecessor() -> None:
    clone = sold(3).clone()
    for _ in range(4):
        clone.sell("B")
    decided = deliver(TILL, clone.events[6:], HASHES)
    assert decided.refusal is not None and decided.refusal.reason is Reason.FORK
    assert decided.refusal.sequence == 7


def test_a_position_that_two_claim_at_once_is_given_to_neither() -> None:
    clone = sold(2).clone()
    clone.sell("B")
    decided = deliver(TILL, [*TILL.events[:4], clone.events[2]], [])
    assert [event.sequence for event in decided.accepted] == [1, 2]
    assert decided.refusal is not None and decided.refusal.reason is Reason.FORK
    assert len(decided.forked) == 2


@pytest.mark.parametrize(
    "given",
    [
        {"sequence": 0},
        {"sequence": True},
        {"sequence": 2**53},
        {"sequence": "1"},
        {"device": "till-2"},
        {"previous": "00"},
        {"id": "x"},
        {"kind": "Receipt"},
        {"at": "2024-06-03T10:00:00"},
        {"at": "0001-01-01T00:00:00+14:00"},
        {"at": 5},
        {"body": []},
        {"extra": 1},
    ],
)
def test_what_can_not_be_read_is_malformed(given: dict[str, object]) -> None:
    till = Till(key=KEY)
    event = till.sell(**given)
    with pytest.raises(BadInput, match="can't be read"):
        read_event(event, "till-1")
    decided = deliver(till, [event], [])
    assert decided.accepted == ()
    assert decided.refusal is not None and decided.refusal.reason is Reason.MALFORMED


@pytest.mark.parametrize(
    "payload",
    ["", "[]", "{}", '{"a":1', "nul\0", '{"a":"\\ud800"}', "\ud800", "[" * 9000, "1e999"],
)
def test_what_is_no_event_at_all_is_malformed(payload: str) -> None:
    with pytest.raises(BadInput):
        read_event(SignedEvent(payload, b""), "till-1")


def test_an_event_that_is_too_long_is_malformed() -> None:
    till = Till(key=KEY)
    with pytest.raises(BadInput, match="too long"):
        read_event(till.write("note", {"text": "x" * MOST_PAYLOAD}), "till-1")


def test_a_public_key_is_read_from_base64_and_hex() -> None:
    import base64

    raw = KEY.public_key().public_bytes_raw()
    for text in (
        raw.hex(),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode() + "\n",
    ):
        assert public_key_of(text) == raw
    for wrong in ("", "x", raw.hex()[:-2], "00" * 32, "01" + "00" * 31, "é" * 32):
        with pytest.raises(BadInput, match="no Ed25519 public key"):
            public_key_of(wrong)


def test_a_payload_is_kept_byte_for_byte() -> None:
    """Two texts of one meaning are two events: nothing is written anew before it is hashed."""
    event = TILL.events[0]
    spaced = orjson.dumps(orjson.loads(event.payload), option=orjson.OPT_INDENT_2).decode()
    assert event_hash(spaced) != event_hash(event.payload)
