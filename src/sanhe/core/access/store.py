"""The tables of access: accounts, sessions, keys and the sign-in limits."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from sanhe.core.access.ports import Account, Key, Role
from sanhe.core.access.rules import IDLE, KNOWN, LONGEST
from sanhe.core.limits import Limit
from sanhe.core.storage import Transaction

_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('core.access', 0))")
_ACCOUNT = (
    "a.id, a.name, a.roles, a.places, a.suppliers, a.language, a.active, "
    "a.factor IS NOT NULL AS has_second_factor"
)
_ACCOUNTS = sa.text(f"SELECT {_ACCOUNT} FROM account AS a ORDER BY a.name")  # noqa: S608
_BY_NAME = sa.text(f"SELECT {_ACCOUNT} FROM account AS a WHERE a.name = :name")  # noqa: S608
_CREDENTIALS = sa.text(
    f"SELECT {_ACCOUNT}, a.password, a.factor, a.waiting_factor "  # noqa: S608 -- constants
    "FROM account AS a WHERE a.name = :name"
)
_BY_SUBJECT = sa.text(
    f"SELECT {_ACCOUNT} FROM account AS a "  # noqa: S608 -- constants
    "JOIN account_identity AS i ON i.account = a.id "
    "WHERE i.issuer = :issuer AND i.subject = :subject"
)
_UNLINK = sa.text("DELETE FROM account_identity WHERE issuer = :issuer AND account = :account")
_LINK = sa.text(
    "INSERT INTO account_identity (issuer, subject, account, linked_at) "
    "VALUES (:issuer, :subject, :account, :now)"
)
_ANY = sa.text("SELECT EXISTS (SELECT FROM account)")
_ADMINS = sa.text(
    "SELECT count(*) FROM account WHERE active AND places IS NULL AND 'admin' = ANY (roles)"
)
_ADD = sa.text(
    "INSERT INTO account (id, name, password, roles, places, suppliers, language, made_at) "
    "VALUES (:id, :name, :password, :roles, :places, :suppliers, :language, :now)"
)
_SET = {
    name: sa.text(f"UPDATE account SET {name} = :value WHERE name = :name")  # noqa: S608
    for name in ("roles", "places", "suppliers", "language", "active", "password")
}
_END_SESSIONS = sa.text(
    "DELETE FROM access_session WHERE account = (SELECT id FROM account WHERE name = :name)"
)
_WAIT_FACTOR = sa.text("UPDATE account SET waiting_factor = :key WHERE name = :name")
_KEEP_FACTOR = sa.text(
    "UPDATE account SET factor = waiting_factor, waiting_factor = NULL, used_step = :step "
    "WHERE name = :name AND waiting_factor = :key"
)
_DROP_FACTOR = sa.text(
    "UPDATE account SET factor = NULL, waiting_factor = NULL, used_step = NULL WHERE name = :name"
)
_USE_STEP = sa.text(
    "UPDATE account SET used_step = :step "
    "WHERE name = :name AND (used_step IS NULL OR used_step < :step)"
)

_BEGIN = sa.text(
    "INSERT INTO access_session (token, account, begun_at, seen_at) "
    "VALUES (:token, :account, :now, :now)"
)
_SESSION = sa.text(
    f"SELECT s.begun_at, s.seen_at, {_ACCOUNT} "  # noqa: S608 -- constants
    "FROM access_session AS s JOIN account AS a ON a.id = s.account WHERE s.token = :token"
)
# Requests of one session come at once: whoever is second leaves it to the first.
_SEEN = sa.text(
    "UPDATE access_session SET seen_at = :now WHERE token IN "
    "(SELECT token FROM access_session WHERE token = :token FOR UPDATE SKIP LOCKED)"
)
_END = sa.text("DELETE FROM access_session WHERE token = :token RETURNING account")
_FORGET_SESSIONS = sa.text(
    "DELETE FROM access_session WHERE token IN (SELECT token FROM access_session "
    "WHERE seen_at <= :idle OR begun_at <= :oldest FOR UPDATE SKIP LOCKED)"
)

_KEY = (
    "id, label, roles, places, suppliers, device, created_at, expires_at, revoked_at "
    "FROM access_key"
)
_ADD_KEY = sa.text(
    "INSERT INTO access_key "
    "(id, label, secret, roles, places, suppliers, device, created_at, expires_at) "
    "VALUES (:id, :label, :secret, :roles, :places, :suppliers, :device, :now, :expires_at)"
)
_KEYS = sa.text(f"SELECT {_KEY} ORDER BY created_at, id")
_KEY_OF = sa.text(f"SELECT {_KEY} WHERE secret = :secret")
_REVOKE = sa.text(
    "UPDATE access_key SET revoked_at = coalesce(revoked_at, :now) WHERE id = :id RETURNING label"
)

# One row for each name or address: the moment until which its attempts reach (the virtual
# scheduling of a leaky bucket). One statement takes an attempt, so that two that come at once
# don't both take the last.
_TAKE = sa.text(
    "INSERT INTO sign_in_limit AS l (key, busy_until) VALUES (:key, :now + :refill) "
    "ON CONFLICT (key) DO UPDATE SET busy_until = greatest(l.busy_until, :now) + :refill "
    "WHERE greatest(l.busy_until, :now) + :refill <= :now + :most RETURNING l.busy_until"
)
_BUSY = sa.text("SELECT busy_until FROM sign_in_limit WHERE key = :key")
_GIVE_BACK = sa.text("UPDATE sign_in_limit SET busy_until = busy_until - :refill WHERE key = :key")
_CLEAR = sa.text("DELETE FROM sign_in_limit WHERE key = :key")
_FORGET_LIMITS = sa.text(
    "DELETE FROM sign_in_limit WHERE key IN "
    "(SELECT key FROM sign_in_limit WHERE busy_until < :now FOR UPDATE SKIP LOCKED)"
)

_IS_KNOWN = sa.text(
    "SELECT EXISTS (SELECT FROM known_address AS k JOIN account AS a ON a.id = k.account "
    "WHERE a.name = :name AND k.address = :address AND k.seen_at > :oldest)"
)
_KNOW = sa.text(
    "INSERT INTO known_address (account, address, seen_at) VALUES (:account, :address, :now) "
    "ON CONFLICT (account, address) DO UPDATE SET seen_at = excluded.seen_at"
)
_FORGET_ADDRESSES = sa.text(
    "DELETE FROM known_address WHERE (account, address) IN (SELECT account, address "
    "FROM known_address WHERE seen_at <= :oldest FOR UPDATE SKIP LOCKED)"
)


@dataclass(frozen=True, slots=True)
class Credentials:
    """An account with what proves it."""

    account: Account
    password: str | None
    factor: bytes | None
    waiting_factor: bytes | None


@dataclass(frozen=True, slots=True)
class Session:
    """A session with its account."""

    account: Account
    begun_at: datetime
    seen_at: datetime


def alone(tx: Transaction) -> None:
    """Let one transaction at a time change accounts, until it ends."""
    tx.connection.execute(_ALONE)


def any_account(tx: Transaction) -> bool:
    """Whether there is an account."""
    return bool(tx.connection.execute(_ANY).scalar_one())


def admins(tx: Transaction) -> int:
    """The active administrators of all places."""
    return int(tx.connection.execute(_ADMINS).scalar_one())


def read_accounts(tx: Transaction) -> list[Account]:
    """All accounts by name."""
    return [_account(row) for row in tx.connection.execute(_ACCOUNTS)]


def read_account(tx: Transaction, name: str) -> Account | None:
    """The account of a name."""
    row = tx.connection.execute(_BY_NAME, {"name": name}).first()
    return None if row is None else _account(row)


def read_account_of(tx: Transaction, issuer: str, subject: str) -> Account | None:
    """The account of somebody whom an OpenID provider knows as this subject."""
    given = {"issuer": issuer, "subject": subject}
    row = tx.connection.execute(_BY_SUBJECT, given).first()
    return None if row is None else _account(row)


def link(tx: Transaction, account: UUID, issuer: str, *, subject: str) -> None:
    """Let this subject of a provider be the account; an earlier one is it no longer."""
    given = {"issuer": issuer, "account": account}
    tx.connection.execute(_UNLINK, given)
    given |= {"subject": subject, "now": tx.clock.now()}
    tx.connection.execute(_LINK, given)


def read_credentials(tx: Transaction, name: str) -> Credentials | None:
    """The account of a name with its password's hash and its second factor."""
    row = tx.connection.execute(_CREDENTIALS, {"name": name}).first()
    if row is None:
        return None
    return Credentials(_account(row), row.password, row.factor, row.waiting_factor)


def add_account(tx: Transaction, account: Account, *, password: str | None) -> None:
    """Add an account with the hash of its password, or without one."""
    given = {
        "id": account.id,
        "name": account.name,
        "password": password,
        "roles": sorted(account.roles),
        "places": _listed(account.places),
        "suppliers": _listed(account.suppliers),
        "language": account.language,
        "now": tx.clock.now(),
    }
    tx.connection.execute(_ADD, given)


def change_account(tx: Transaction, name: str, changes: Mapping[str, object]) -> None:
    """Set columns of an account."""
    for column, value in changes.items():
        kept = sorted(value) if isinstance(value, (frozenset, tuple)) else value
        tx.connection.execute(_SET[column], {"name": name, "value": kept})


def end_sessions(tx: Transaction, name: str) -> int:
    """End all sessions of an account; returns how many."""
    return int(tx.connection.execute(_END_SESSIONS, {"name": name}).rowcount)


def wait_for_factor(tx: Transaction, name: str, key: bytes) -> None:
    """Keep a second factor that is not confirmed yet."""
    tx.connection.execute(_WAIT_FACTOR, {"name": name, "key": key})


def keep_factor(tx: Transaction, name: str, key: bytes, *, step: int) -> bool:
    """Take the waiting factor into use; False when another was begun meanwhile."""
    given = {"name": name, "key": key, "step": step}
    return bool(tx.connection.execute(_KEEP_FACTOR, given).rowcount)


def drop_factor(tx: Transaction, name: str) -> None:
    """Let an account sign in without a code."""
    tx.connection.execute(_DROP_FACTOR, {"name": name})


def use_step(tx: Transaction, name: str, step: int) -> bool:
    """Mark a code's step as used; False when it, or a later one, was used before."""
    return bool(tx.connection.execute(_USE_STEP, {"name": name, "step": step}).rowcount)


def begin_session(tx: Transaction, token: bytes, account: UUID) -> None:
    """Keep a session, and forget those that are over."""
    now = tx.clock.now()
    tx.connection.execute(_FORGET_SESSIONS, {"idle": now - IDLE, "oldest": now - LONGEST})
    tx.connection.execute(_BEGIN, {"token": token, "account": account, "now": now})


def read_session(tx: Transaction, token: bytes) -> Session | None:
    """The session of a token's digest."""
    row = tx.connection.execute(_SESSION, {"token": token}).first()
    return None if row is None else Session(_account(row), row.begun_at, row.seen_at)


def see_session(tx: Transaction, token: bytes) -> None:
    """Note that a session is used now."""
    tx.connection.execute(_SEEN, {"token": token, "now": tx.clock.now()})


def end_session(tx: Transaction, token: bytes) -> bool:
    """End a session; False when there is none."""
    return tx.connection.execute(_END, {"token": token}).first() is not None


def add_key(tx: Transaction, key: Key, *, secret: bytes) -> None:
    """Keep a key with the digest of its secret."""
    given = {
        "id": key.id,
        "label": key.label,
        "secret": secret,
        "roles": sorted(key.roles),
        "places": _listed(key.places),
        "suppliers": _listed(key.suppliers),
        "device": key.device,
        "now": key.created_at,
        "expires_at": key.expires_at,
    }
    tx.connection.execute(_ADD_KEY, given)


def read_keys(tx: Transaction) -> list[Key]:
    """All keys, oldest first."""
    return [_key(row) for row in tx.connection.execute(_KEYS)]


def read_key(tx: Transaction, secret: bytes) -> Key | None:
    """The key of a secret's digest."""
    row = tx.connection.execute(_KEY_OF, {"secret": secret}).first()
    return None if row is None else _key(row)


def revoke_key(tx: Transaction, key: UUID) -> str | None:
    """Revoke a key; returns its label, None when there is no such key."""
    found: str | None = tx.connection.execute(_REVOKE, {"id": key, "now": tx.clock.now()}).scalar()
    return found


def take_attempt(tx: Transaction, key: str, limit: Limit) -> int:
    """Take an attempt of a name's or address's limit: 0, or the seconds until there is one."""
    now = tx.clock.now()
    given = {"key": key, "now": now, "refill": limit.refill, "most": limit.most}
    if tx.connection.execute(_TAKE, given).first() is not None:
        return 0
    busy: datetime = tx.connection.execute(_BUSY, {"key": key}).scalar_one()
    left = (busy + limit.refill - limit.most - now).total_seconds()
    return max(int(-(-left // 1)), 1)


def is_known(tx: Transaction, name: str, address: str) -> bool:
    """Whether the account of this name has signed in from this address lately."""
    given = {"name": name, "address": address, "oldest": tx.clock.now() - KNOWN}
    return bool(tx.connection.execute(_IS_KNOWN, given).scalar_one())


def know(tx: Transaction, account: UUID, address: str) -> None:
    """Note that an account has signed in from an address, and forget those of long ago."""
    now = tx.clock.now()
    tx.connection.execute(_FORGET_ADDRESSES, {"oldest": now - KNOWN})
    tx.connection.execute(_KNOW, {"account": account, "address": address, "now": now})


def settle_attempts(tx: Transaction, *, name: str | None, address: str, refill: Limit) -> None:
    """After a sign-in that went well: the name's attempts are all back, the address's one is."""
    tx.connection.execute(_GIVE_BACK, {"key": address, "refill": refill.refill})
    if name is not None:
        tx.connection.execute(_CLEAR, {"key": name})
    tx.connection.execute(_FORGET_LIMITS, {"now": tx.clock.now()})


def _listed(names: Collection[str] | None) -> list[str] | None:
    return None if names is None else sorted(names)


def _named(names: list[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(names)


def _account(row: Any) -> Account:
    return Account(
        id=row.id,
        name=row.name,
        roles=frozenset(Role(role) for role in row.roles),
        places=_named(row.places),
        suppliers=_named(row.suppliers),
        language=row.language,
        active=row.active,
        has_second_factor=row.has_second_factor,
    )


def _key(row: Any) -> Key:
    return Key(
        id=row.id,
        label=row.label,
        roles=frozenset(Role(role) for role in row.roles),
        places=_named(row.places),
        suppliers=_named(row.suppliers),
        device=row.device,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )
