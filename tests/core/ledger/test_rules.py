"""The ledger's rules: hashes, trees, chains and sums."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sanhe.core.errors import Tampered
from sanhe.core.ledger import rules
from sanhe.core.ledger.ports import Balance
from sanhe.core.ledger.rules import Entry, Kind, SealedBatch

NOON = datetime(2024, 6, 3, 12, tzinfo=UTC)
ENTRY = Entry(
    number=7,
    kind=Kind.TRANSFER,
    transfer=UUID(int=1),
    source=1,
    target=2,
    amount=5,
    reason="sale",
    reference="receipt 1",
    effective_at=NOON,
    expires_at=None,
    recorded_at=NOON,
    actor="till",
    written_by=99,
)

moments = st.datetimes(timezones=st.just(UTC))
texts = st.text(alphabet=st.sampled_from("ab|:1三 "), max_size=6)
entries = st.builds(
    Entry,
    number=st.integers(1, 30),
    kind=st.sampled_from(Kind),
    transfer=st.integers(0, 3).map(lambda n: UUID(int=n)),
    source=st.integers(1, 12),
    target=st.integers(1, 12),
    amount=st.none() | st.integers(-2, 12),
    reason=texts,
    reference=texts,
    effective_at=moments,
    expires_at=st.none() | moments,
    recorded_at=moments,
    actor=texts,
    written_by=st.integers(1, 12),
)


@given(entries, entries)
def test_two_entries_never_share_their_bytes(one: Entry, other: Entry) -> None:
    assume(one != other)
    assert rules.canonical(one) != rules.canonical(other)


def test_the_bytes_are_the_published_ones() -> None:
    assert rules.canonical(ENTRY) == (
        b"7|transfer|00000000-0000-0000-0000-000000000001|1|2|5|1717416000000000||"
        b"1717416000000000|99|4:sale|9:receipt 1|4:till"
    )
    expected = hashlib.sha256(b"\x00" + rules.canonical(ENTRY)).digest()
    assert rules.entry_hash(ENTRY) == expected


def by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    left, right = by_the_book(leaves[:half]), by_the_book(leaves[half:])
    return hashlib.sha256(b"\x01" + left + right).digest()


@pytest.mark.parametrize("count", range(35))
def test_the_tree_is_the_one_of_the_book(count: int) -> None:
    leaves = [hashlib.sha256(bytes([n])).digest() for n in range(count)]
    assert rules.tree_root(leaves) == by_the_book(leaves)


def test_the_tree_matches_published_roots() -> None:
    # The test data of the reference implementation of RFC 6962 (certificate transparency).
    data = ["", "00", "10", "2021", "3031", "40414243"]
    leaves = [hashlib.sha256(b"\x00" + bytes.fromhex(text)).digest() for text in data]
    assert rules.tree_root(leaves[:1]).hex() == (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    )
    assert rules.tree_root(leaves[:2]).hex() == (
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"
    )
    assert rules.tree_root(leaves).hex() == (
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"
    )


BATCH = SealedBatch(1, 1, 9, 9, 100, bytes(32), NOON, "sealer")


@pytest.mark.parametrize(
    "change",
    [
        {"number": 2},
        {"first_entry": 2},
        {"last_entry": 10},
        {"entries": 8},
        {"below": 101},
        {"tree": b"\x01" + bytes(31)},
        {"sealed_at": NOON + timedelta(microseconds=1)},
        {"actor": "sealeR"},
    ],
)
def test_a_root_depends_on_every_field(change: dict[str, object]) -> None:
    changed = replace(BATCH, **change)  # type: ignore[arg-type]
    assert rules.chain_root(rules.NO_ROOT, changed) != rules.chain_root(rules.NO_ROOT, BATCH)
    assert rules.chain_root(b"\x01" * 32, BATCH) != rules.chain_root(rules.NO_ROOT, BATCH)


def test_a_broken_chain_is_named() -> None:
    first = (BATCH, rules.chain_root(rules.NO_ROOT, BATCH))
    second_batch = replace(BATCH, number=2)
    second = (second_batch, rules.chain_root(first[1], second_batch))
    rules.check_chain([first, second])
    with pytest.raises(Tampered, match="seal 1 is missing"):
        rules.check_chain([second])
    with pytest.raises(Tampered, match="seal 2"):
        rules.check_chain([first, (second_batch, first[1])])


def test_sums_follow_the_entries() -> None:
    opened = replace(ENTRY, kind=Kind.OPENED, source=3, target=3, amount=None)
    held = replace(ENTRY, kind=Kind.PENDING, transfer=UUID(int=2), amount=4)
    other = replace(held, transfer=UUID(int=3), amount=2)
    posted = replace(held, kind=Kind.POSTED, amount=3)
    assert rules.sums([opened, ENTRY, held, other, posted]) == {
        1: Balance(-8, 2, 0),
        2: Balance(8, 0, 2),
        3: Balance(0, 0, 0),
    }
