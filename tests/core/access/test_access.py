"""Accounts, sessions, keys and second factors on the database."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from sanhe.core.access import EVERYTHING, Access, Identity, Role, SignedIn
from sanhe.core.access.rules import BY_ADDRESS, BY_NAME
from sanhe.core.access.secrets import code_at
from sanhe.core.audit import PostgresAudit
from sanhe.core.clock import FixedClock
from sanhe.core.errors import BadInput, Conflict, Denied, NotFound, SanheError, TooMany
from sanhe.core.facts import FactTypes, PostgresFacts
from sanhe.core.places import FACT_TYPES, Places
from sanhe.core.storage import Database, Transaction

PASSWORD = "otter plum quarry 91"
OTHER = "heron slate bottle 27"
ADDRESS = "192.0.2.7"


def access_of(tx: Transaction) -> Access:
    places = Places(tx, PostgresFacts(tx, FactTypes(FACT_TYPES)))
    return Access(tx, PostgresAudit(tx), places)


@contextmanager
def access(database: Database, actor: str = "boss") -> Iterator[Access]:
    with database.transaction(actor=actor) as tx:
        yield access_of(tx)


@pytest.fixture
def staffed(database: Database) -> Database:
    """Region E with stores E1 and E2, region W with W1; an administrator and a planner."""
    with database.transaction(actor="boss") as tx:
        tx.connection.exec_driver_sql(
            "INSERT INTO place (id, name, kind, parent) VALUES ('E', 'East', 'region', NULL), "
            "('E1', 'e1', 'store', 'E'), ('E2', 'e2', 'store', 'E'), ('E21', 'e21', 'shop', 'E2'), "
            "('W', 'West', 'region', NULL), ('W1', 'w1', 'store', 'W')"
        )
        made = access_of(tx)
        made.add("Boss", PASSWORD, roles=["admin"])
        made.add("lin", PASSWORD, roles=[Role.PLANNER, Role.BUYER], places=["E"], language="en")
    return database


def sign_in(
    database: Database, name: str = "lin", password: str = PASSWORD, code: str | None = None,
    *, address: str = ADDRESS,
) -> SignedIn:  # fmt: skip
    with access(database, "web") as on:
        return on.sign_in(name, password, address=address, code=code)


def identify(database: Database, token: str) -> Identity:
    with access(database, "web") as on:
        return on.identify(token)


def test_who_signs_in_is_known_by_the_token_until_they_sign_out(staffed: Database) -> None:
    signed = sign_in(staffed, "  LIN ")
    assert len(signed.token) == 43
    found = identify(staffed, signed.token)
    assert found == signed.identity
    assert found.actor == "lin"
    assert found.roles == {Role.PLANNER, Role.BUYER}
    assert found.scope.places == {"E", "E1", "E2", "E21"}
    assert found.scope.suppliers is None
    assert found.language == "en"
    assert len(found.csrf) == 64
    assert signed.token not in found.csrf
    with access(staffed) as on:
        on.sign_out(signed.token)
        on.sign_out(signed.token)
    with pytest.raises(Denied, match="sign in again"):
        identify(staffed, signed.token)


def test_only_digests_are_kept_and_no_secret_is_in_the_trail(staffed: Database) -> None:
    signed = sign_in(staffed)
    with access(staffed) as on:
        secret = on.add_key("till 1", roles=["store"], places=["E1"], device=True)
        on.start_second_factor("lin")
    with pytest.raises(Denied):
        sign_in(staffed, OTHER, PASSWORD)
    with staffed.transaction(actor="x") as tx:
        tables = ("account", "access_session", "access_key", "sign_in_limit", "audit_event")
        rows = [
            str(tx.connection.exec_driver_sql(f"SELECT t::text FROM {name} AS t").all())
            for name in tables
        ]
        trail = PostgresAudit(tx).trail()
    for word in (PASSWORD, OTHER, signed.token, secret, secret.removeprefix("sanhe_")):
        assert word not in "".join(rows)
    assert "$argon2id$" in rows[0]
    assert [e.action for e in trail][:4] == [
        "sign-in refused", "second factor begun", "key added", "signed in",
    ]  # fmt: skip
    assert "argon2" not in json.dumps([dict(e.details) for e in trail])


@pytest.mark.parametrize(
    ("name", "password"), [("lin", OTHER), ("nobody", PASSWORD), ("no name!", PASSWORD), ("", "")]
)
def test_a_wrong_name_and_a_wrong_password_are_told_alike(
    staffed: Database, name: str, password: str
) -> None:
    with pytest.raises(Denied, match=r"^name or password is wrong$") as refused:
        sign_in(staffed, name, password)
    assert not refused.value.needs_code
    with staffed.transaction(actor="x") as tx:
        event = PostgresAudit(tx).trail()[0]
    assert event.action == "sign-in refused"
    assert event.details == {"address": ADDRESS, "why": "password"}
    assert event.subject == ("account lin" if name == "lin" else "account")


def test_an_unknown_name_costs_the_work_of_a_known_one(
    staffed: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sanhe.core.access import secrets

    hashes: list[str] = []
    hasher = secrets._hasher()
    verify = type(hasher).verify

    def counted(self: object, hashed: str, password: bytes) -> bool:
        hashes.append(hashed)
        return bool(verify(hasher, hashed, password))

    monkeypatch.setattr(type(hasher), "verify", counted)
    for name in ("lin", "nobody"):
        with pytest.raises(Denied):
            sign_in(staffed, name, OTHER)
    cost = [hashed.split("$")[1:4] for hashed in hashes]
    assert len(hashes) == 2
    assert cost[0] == cost[1]


def test_a_session_ends_12_hours_after_its_last_use_and_7_days_after_it_began(
    staffed: Database, clock: FixedClock
) -> None:
    idle = sign_in(staffed)
    assert idle.expires_at == clock.moment + timedelta(hours=12)
    clock.moment += timedelta(hours=12)
    with pytest.raises(Denied):
        identify(staffed, idle.token)
    used = sign_in(staffed).token
    for _ in range(15):
        clock.moment += timedelta(hours=11)
        identify(staffed, used)
    clock.moment += timedelta(hours=3)
    with pytest.raises(Denied):
        identify(staffed, used)
    sign_in(staffed)
    with staffed.transaction(actor="x") as tx:
        kept = tx.connection.exec_driver_sql("SELECT count(*) FROM access_session").scalar_one()
    assert kept == 1, "those that are over are forgotten"


def test_changes_hold_for_sessions_that_run(staffed: Database) -> None:
    token = sign_in(staffed).token
    with access(staffed) as on:
        on.change("lin", roles=["store"], places=["W"])
    found = identify(staffed, token)
    assert (found.roles, found.scope.places) == ({Role.STORE}, {"W", "W1"})
    with access(staffed) as on:
        assert on.change("lin", roles=["planner"], places=None).places is None
        assert identify(staffed, token).scope.places == {"W", "W1"}, "not committed yet"
    assert identify(staffed, token).scope == EVERYTHING
    with access(staffed) as on:
        assert not on.change("lin", active=False).active
    with pytest.raises(Denied):
        identify(staffed, token)
    with pytest.raises(Denied, match="wrong"):
        sign_in(staffed)
    with access(staffed) as on:
        on.change("lin", active=True)
    with pytest.raises(Denied):
        identify(staffed, token)
    token = sign_in(staffed).token
    with access(staffed) as on:
        on.set_password("lin", OTHER)
    with pytest.raises(Denied):
        identify(staffed, token)
    sign_in(staffed, "lin", OTHER)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"name": "a b"}, "no name"),
        ({"name": "worker"}, "sanhe's own"),
        ({"password": "short"}, "12 to"),
        ({"password": "Password2024!!"}, "guessed first"),
        ({"password": "1234567890123"}, "guessed first"),
        ({"password": "ababababababab"}, "different characters"),
        ({"name": "wang.xiaoming", "password": "Wang.Xiaoming1"}, "account's name"),
        ({"roles": []}, "no role is given"),
        ({"roles": ["owner"]}, "no role 'owner'"),
        ({"roles": ["store"]}, "names its places"),
        ({"roles": ["supplier"]}, "names its suppliers"),
        ({"roles": ["supplier", "buyer"], "suppliers": ["V"]}, "no further role"),
        ({"suppliers": ["V"]}, "only a supplier's"),
        ({"places": []}, "no place is named"),
        ({"places": ["E", "X"]}, "no place 'X'"),
        ({"language": "fr"}, "no language"),
    ],
)
def test_what_can_not_be_an_account_is_refused(
    staffed: Database, given: dict[str, object], what: str
) -> None:
    wanted: dict[str, object] = {"name": "new", "password": PASSWORD, "roles": ["planner"]} | given
    with access(staffed) as on, pytest.raises(BadInput, match=what) as refused:
        on.add(**wanted)  # type: ignore[arg-type]
    assert str(wanted["password"]) not in str(refused.value)


def test_names_are_taken_once_and_the_last_administrator_stays(staffed: Database) -> None:
    with access(staffed) as on:
        assert not on.is_empty()
        with pytest.raises(Conflict, match="taken"):
            on.add("ＬＩＮ", PASSWORD, roles=["planner"])
        with pytest.raises(NotFound, match="no account"):
            on.change("nobody", active=False)
    for change in ({"active": False}, {"roles": ["planner"]}, {"places": ["E"]}):
        with pytest.raises(Conflict, match="last administrator"), access(staffed) as on:
            on.change("boss", **change)  # type: ignore[arg-type]
    with access(staffed) as on:
        on.add("second", PASSWORD, roles=["admin"])
        on.change("boss", active=False)
        assert [a.name for a in on.accounts()] == ["boss", "lin", "second"]


def test_the_first_account_is_made_by_one_of_two_that_ask_at_once(database: Database) -> None:
    begun, made = threading.Barrier(2), []

    def ask(name: str) -> None:
        begun.wait()
        with access(database) as on:
            if on.is_empty():
                on.add(name, PASSWORD, roles=["admin"])
                made.append(name)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("a1", "b1")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1


def attempts(database: Database, count: int, **given: str) -> list[SanheError]:
    refusals = []
    for _ in range(count):
        with pytest.raises(SanheError) as refused:
            sign_in(database, given.get("name", "lin"), OTHER, address=given.get("at", ADDRESS))
        refusals.append(refused.value)
    return refusals


def test_a_name_is_tried_five_times_then_each_two_minutes_from_any_address(
    staffed: Database, clock: FixedClock
) -> None:
    refused = [attempts(staffed, 1, at=f"198.51.100.{n}")[0] for n in range(7)]
    assert [type(error) for error in refused] == [Denied] * BY_NAME.attempts + [TooMany] * 2
    assert isinstance(refused[-1], TooMany)
    assert refused[-1].retry_after_seconds == 120
    with pytest.raises(TooMany):
        sign_in(staffed)
    sign_in(staffed, "boss")
    clock.moment += timedelta(seconds=119)
    assert [type(error) for error in attempts(staffed, 1)] == [TooMany]
    clock.moment += timedelta(seconds=1)
    sign_in(staffed)
    assert [type(e) for e in attempts(staffed, 5)] == [Denied] * 5, "a good one gives them back"


def test_others_guesses_keep_nobody_out_of_where_they_work(
    staffed: Database, clock: FixedClock
) -> None:
    """Whoever knows a name takes every attempt there is, without end."""
    sign_in(staffed)
    for _ in range(20):
        attempts(staffed, 7, at="198.51.100.9")
        sign_in(staffed)
        with pytest.raises(TooMany):
            sign_in(staffed, address="203.0.113.5")  # the control: a new place does wait
        clock.moment += timedelta(minutes=2)
        attempts(staffed, 1, at="198.51.100.9")
    at_home = attempts(staffed, BY_NAME.attempts + 1)
    assert [type(e) for e in at_home] == [Denied] * BY_NAME.attempts + [TooMany]
    clock.moment += timedelta(days=91)
    attempts(staffed, BY_NAME.attempts, at="198.51.100.9")
    with pytest.raises(TooMany):
        sign_in(staffed)  # long ago: known no more


def test_an_address_is_limited_over_all_names_and_an_ipv6_network_is_one(
    staffed: Database, clock: FixedClock
) -> None:
    refused = [
        attempts(staffed, 1, name=f"name{n}", at=f"2001:db8::{n:x}")[0]
        for n in range(BY_ADDRESS.attempts + 1)
    ]
    assert [type(error) for error in refused] == [Denied] * BY_ADDRESS.attempts + [TooMany]
    with pytest.raises(TooMany):
        sign_in(staffed, address="2001:db8::ffff")
    sign_in(staffed, address="2001:db8:0:1::1")
    clock.moment += timedelta(seconds=6)
    for _ in range(3):
        sign_in(staffed, address="2001:db8::ffff")


@pytest.mark.parametrize("counted", [True, False])
def test_of_two_sign_ins_at_the_limit_one_is_let_in(
    staffed: Database, monkeypatch: pytest.MonkeyPatch, counted: bool
) -> None:
    """Control: counted by reading first and writing after, both take the last attempt."""
    if not counted:
        monkeypatch.setattr("sanhe.core.access.store.take_attempt", _take_by_reading)
    attempts(staffed, BY_NAME.attempts - 1)
    begun = threading.Barrier(2)
    told: list[type[Exception]] = []

    def guess() -> None:
        begun.wait()
        try:
            sign_in(staffed, "lin", OTHER)
        except SanheError as error:
            told.append(type(error))

    threads = [threading.Thread(target=guess) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told.count(Denied) == (1 if counted else 2)


_MEET = threading.Barrier(2)


def _take_by_reading(tx: Transaction, key: str, limit: object) -> int:
    from sqlalchemy import text

    count = text("SELECT count(*) FROM audit_event WHERE action = 'sign-in refused'")
    found = tx.connection.execute(count).scalar_one()
    if key.startswith("name") and found == BY_NAME.attempts - 1:
        _MEET.wait(timeout=20)
    return 0 if found < BY_NAME.attempts else 60


def test_a_failed_sign_in_is_counted_though_its_transaction_is_rolled_back(
    staffed: Database,
) -> None:
    attempts(staffed, 2)
    with staffed.transaction(actor="x") as tx:
        busy = tx.connection.exec_driver_sql(
            "SELECT key, busy_until FROM sign_in_limit ORDER BY key"
        ).all()
    start = datetime(2024, 6, 3, tzinfo=UTC)
    assert [(row.key, row.busy_until - start) for row in busy] == [
        (f"address {ADDRESS}", 2 * BY_ADDRESS.refill),
        ("name lin", 2 * BY_NAME.refill),
    ]


def test_many_who_sign_in_at_once_do_not_wait_for_each_other_for_ever(staffed: Database) -> None:
    """More than the pool has connections: each of them needs two."""
    told: list[type] = []

    def enter() -> None:
        try:
            told.append(type(sign_in(staffed, "boss")))
        except TooMany as error:
            told.append(type(error))

    threads = [threading.Thread(target=enter) for _ in range(18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(told) == 18
    assert told.count(SignedIn) >= BY_NAME.attempts


def begun_factor(database: Database, clock: FixedClock) -> bytes:
    import base64
    from urllib.parse import parse_qs, urlsplit

    with access(database) as on:
        uri = on.start_second_factor("lin")
    key = base64.b32decode(parse_qs(urlsplit(uri).query)["secret"][0])
    assert urlsplit(uri).scheme == "otpauth"
    sign_in(database)
    with access(database) as on:
        with pytest.raises(Denied, match="code of now"):
            on.confirm_second_factor("lin", "000000")
        on.confirm_second_factor("lin", code_at(key, step(clock)))
    return key


def step(clock: FixedClock) -> int:
    return int(clock.moment.timestamp()) // 30


def test_a_code_is_asked_for_once_it_is_confirmed_and_taken_once(
    staffed: Database, clock: FixedClock
) -> None:
    key = begun_factor(staffed, clock)
    with access(staffed) as on:
        assert {a.name for a in on.accounts() if a.has_second_factor} == {"lin"}
    with pytest.raises(Denied) as refused:
        sign_in(staffed)
    assert refused.value.needs_code
    with pytest.raises(Denied, match=r"wrong or was used") as refused:
        sign_in(staffed, code=code_at(key, step(clock)))
    clock.moment += timedelta(minutes=2)
    code = code_at(key, step(clock))
    assert sign_in(staffed, code=f"{code[:3]} {code[3:]}").identity.actor == "lin"
    with pytest.raises(Denied, match=r"was used"):
        sign_in(staffed, code=code)
    with pytest.raises(Denied, match=r"name or password"):
        sign_in(staffed, "lin", OTHER, code_at(key, step(clock) + 1))
    with access(staffed) as on:
        on.drop_second_factor("lin")
    sign_in(staffed)


def test_one_code_used_twice_at_once_lets_one_in(staffed: Database, clock: FixedClock) -> None:
    key = begun_factor(staffed, clock)
    clock.moment += timedelta(minutes=2)
    code = code_at(key, step(clock))
    begun, well, refused = threading.Barrier(2), [], []

    def enter() -> None:
        begun.wait()
        try:
            well.append(sign_in(staffed, code=code))
        except Denied as error:
            refused.append(error)

    threads = [threading.Thread(target=enter) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(well), len(refused)) == (1, 1)


def test_a_key_is_taken_until_it_expires_or_is_revoked(
    staffed: Database, clock: FixedClock
) -> None:
    with access(staffed) as on:
        secret = on.add_key("ERP  export", roles=["planner"], places=["E2"])
        soon = clock.moment + timedelta(days=1)
        short = on.add_key("supplier", roles=["supplier"], suppliers=["V1"], expires_at=soon)
        found = on.identify_key(secret)
        assert found.actor == "key ERP export"
        assert (found.scope.places, found.account, found.csrf) == ({"E2", "E21"}, None, "")
        assert on.identify_key(short).scope.suppliers == {"V1"}
        for wrong in ("", "sanhe_", secret[:-1], secret + "x", "\ud800"):
            with pytest.raises(Denied):
                on.identify_key(wrong)
        clock.moment = soon
        with pytest.raises(Denied):
            on.identify_key(short)
        first = on.keys()[0].id
        on.revoke_key(first)
        on.revoke_key(first)
        with pytest.raises(Denied):
            on.identify_key(secret)
        known = on.keys()
        assert [key.revoked_at is None for key in known] == [False, True]


def test_keys_that_open_too_much_are_refused(staffed: Database, clock: FixedClock) -> None:
    with access(staffed) as on:
        for given in ({"roles": ["planner"]}, {"roles": ["admin"], "places": ["E"]}):
            with pytest.raises(BadInput, match="device"):
                on.add_key("till", device=True, **given)  # type: ignore[arg-type]
        with pytest.raises(BadInput, match="label"):
            on.add_key(" ", roles=["planner"])
        for moment in (clock.moment, clock.moment.replace(tzinfo=None) + timedelta(days=1)):
            with pytest.raises(BadInput, match="later moment"):
                on.add_key("k", roles=["planner"], expires_at=moment)
