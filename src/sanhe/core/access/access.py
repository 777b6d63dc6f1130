"""The façade: accounts, sign-in, sessions, keys and second factors within one transaction."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Final, NoReturn
from uuid import UUID

from sanhe.core.access import rules, secrets, store
from sanhe.core.access.claims import Granted, NotAdmitted
from sanhe.core.access.ports import Account, Identity, Key, Role, SignedIn
from sanhe.core.access.store import Credentials
from sanhe.core.audit import PostgresAudit
from sanhe.core.errors import BadInput, Code, Conflict, Denied, NotFound, TooMany
from sanhe.core.places import Places
from sanhe.core.scope import Scope
from sanhe.core.storage import Transaction
from sanhe.core.values import Json, new_id

_SEEN_EVERY: Final = timedelta(minutes=1)
"""A session's use is noted no more often, so that reading pages seldom writes."""


class _Unchanged:
    """Stands for what a call of `change` leaves as it is; None means all places or suppliers."""


UNCHANGED: Final = _Unchanged()


class Access:
    """Accounts, sessions and keys. Everything is told to the audit trail, never with a secret.

    The transaction must see everything: who somebody is comes before what they may see.
    """

    def __init__(self, tx: Transaction, audit: PostgresAudit, places: Places) -> None:
        self._tx, self._audit, self._places = tx, audit, places

    def is_empty(self) -> bool:
        """Whether there is no account yet. While it is so, no other transaction adds one."""
        if store.any_account(self._tx):
            return False
        store.alone(self._tx)
        return not store.any_account(self._tx)

    def add(
        self,
        name: str,
        password: str,
        *,
        roles: Iterable[str],
        places: Collection[str] | None = None,
        suppliers: Collection[str] | None = None,
        language: str = "zh-CN",
    ) -> Account:
        """Make an account. Raises BadInput for what can't be kept, Conflict for a name taken.

        `places` are codes of `core.places` and stand for all below them; None = all places.
        """
        kept = rules.checked_name(name)
        secrets.check_password(password, name=kept)
        rules.check_language(language)
        account = Account(
            id=new_id(),
            name=kept,
            roles=rules.checked_roles(roles),
            places=_sorted(places),
            suppliers=_sorted(suppliers),
            language=language,
            active=True,
            has_second_factor=False,
        )
        self._keep(account, password=secrets.hash_password(password))
        return account

    def change(
        self,
        name: str,
        *,
        roles: Iterable[str] | _Unchanged = UNCHANGED,
        places: Collection[str] | _Unchanged | None = UNCHANGED,
        suppliers: Collection[str] | _Unchanged | None = UNCHANGED,
        active: bool | _Unchanged = UNCHANGED,
        language: str | _Unchanged = UNCHANGED,
    ) -> Account:
        """Change what is given; sessions have the new roles and places at once.

        An account that is no longer active loses its sessions. Raises NotFound, BadInput, and
        Conflict where no active administrator of all places would be left.
        """
        store.alone(self._tx)
        before = self._require(name)
        given: dict[str, object] = {}
        if not isinstance(roles, _Unchanged):
            given["roles"] = rules.checked_roles(roles)
        if not isinstance(places, _Unchanged):
            given["places"] = _sorted(places)
        if not isinstance(suppliers, _Unchanged):
            given["suppliers"] = _sorted(suppliers)
        if not isinstance(active, _Unchanged):
            given["active"] = active
        if not isinstance(language, _Unchanged):
            rules.check_language(language)
            given["language"] = language
        had = store.admins(self._tx)
        store.change_account(self._tx, before.name, given)
        after = self._require(name)
        self._check_scope(after.roles, after.places, after.suppliers)
        if had and not store.admins(self._tx):
            raise Conflict(
                f"{before.name} is the last administrator: make another one first",
                code=Code.LAST_ADMINISTRATOR,
            )
        if not after.active:
            store.end_sessions(self._tx, after.name)
        self._tell("account changed", after.name, {"before": _told(before), "after": _told(after)})
        return after

    def set_password(self, name: str, new: str) -> None:
        """Give an account another password and end its sessions. Raises NotFound, BadInput."""
        account = self._require(name)
        secrets.check_password(new, name=account.name)
        hashed = secrets.hash_password(new)
        store.change_account(self._tx, account.name, {"password": hashed})
        ended = store.end_sessions(self._tx, account.name)
        self._tell("password set", account.name, {"sessions_ended": ended})

    def accounts(self) -> list[Account]:
        """All accounts by name."""
        return store.read_accounts(self._tx)

    def sign_in(
        self, name: str, password: str, *, address: str, code: str | None = None
    ) -> SignedIn:
        """Begin a session. `address` is where the request came from.

        Raises Denied, with `needs_code` when only the second factor's code is missing, and
        TooMany beyond the limits of name or address (`rules.BY_NAME`). Attempts are counted on
        a connection of their own, so that one that fails is kept.
        """
        try:
            kept = rules.checked_name(name)
        except BadInput:
            kept = ""
        where = rules.address_key(address)
        by_name, by_address = f"name {kept}", f"address {where}"
        if kept and store.is_known(self._tx, kept, where):
            by_name += f" at {where}"
        self._take_attempts(by_name, by_address)
        found = store.read_credentials(self._tx, kept) if kept else None
        hashed = None if found is None else found.password
        fits = secrets.password_fits(password, hashed)
        if found is None or not fits or not found.account.active:
            self._refuse(None if found is None else found.account.name, address, why="password")
        self._check_code(found, code, address)
        with self._tx.apart() as apart:
            store.settle_attempts(apart, name=by_name, address=by_address, refill=rules.BY_ADDRESS)
        account = found.account
        if hashed is not None and secrets.is_outdated(hashed):
            hashed = secrets.hash_password(password)
            store.change_account(self._tx, account.name, {"password": hashed})
        store.know(self._tx, account.id, where)
        return self._begin(account, {"address": address})

    def take_attempt(self, address: str) -> None:
        """Count an attempt to sign in at a provider. Raises TooMany beyond `rules.BY_ADDRESS`."""
        self._take_attempts(None, f"address {rules.address_key(address)}")

    def admit(self, granted: Granted, *, address: str) -> SignedIn:
        """Begin the session of somebody whom an OpenID provider vouches for.

        An account is made at the first time; roles and places are those that are granted now.
        Raises NotAdmitted: the name is an account's of another, the account is inactive, no such
        place, or the last administrator would be none any more.
        """
        account = self._account_of(granted)
        if not account.active:
            raise granted.refused("this account is inactive", why="inactive")
        now = (account.roles, account.places, account.suppliers)
        if now != (granted.roles, granted.places, granted.suppliers):
            try:
                account = self.change(
                    account.name,
                    roles=granted.roles,
                    places=granted.places,
                    suppliers=granted.suppliers,
                )
            except BadInput as error:
                raise granted.refused(error.what, why="places") from error
            except Conflict as error:
                raise granted.refused(str(error), why="last_admin") from error
        by_address = f"address {rules.address_key(address)}"
        with self._tx.apart() as apart:
            store.settle_attempts(apart, name=None, address=by_address, refill=rules.BY_ADDRESS)
        return self._begin(account, {"address": address, "provider": granted.issuer})

    def link(self, name: str, issuer: str, *, subject: str) -> Account:
        """Let a provider's subject sign in as this account, which an earlier one no longer can.

        Raises NotFound, and Conflict for a subject that is another account.
        """
        store.alone(self._tx)
        account = self._require(name)
        if not subject:
            raise BadInput("no subject is given", remedy="give the claim `sub` of the provider")
        other = store.read_account_of(self._tx, issuer, subject)
        if other is not None and other.id != account.id:
            raise Conflict(f"{subject} signs in as {other.name}: link that account anew first")
        store.link(self._tx, account.id, issuer, subject=subject)
        self._tell("account linked", account.name, {"provider": issuer, "subject": subject})
        return account

    def tell_refusal(self, refused: NotAdmitted, *, address: str) -> None:
        """Keep that a provider's word was not enough, and why."""
        details: dict[str, Json] = {"address": address, "why": refused.why}
        if refused.subject:
            details["subject"] = refused.subject
        self._audit.record("sign-in refused", "account", details)

    def identify(self, token: str, *, used: bool = True) -> Identity:
        """Who holds this session's token, with roles and scope of now. Raises Denied.

        A session ends 12 hours after its last use and 7 days after it was begun. `used`: whether
        this is a use of it; a page that is merely open is none.
        """
        digest = secrets.digest(token)
        found = store.read_session(self._tx, digest)
        now = self._tx.clock.now()
        if (
            found is None
            or not found.account.active
            or rules.expiry(found.begun_at, found.seen_at) <= now
        ):
            raise Denied("the session is over: sign in again", code=Code.SIGNED_OUT)
        if used and now - found.seen_at >= _SEEN_EVERY:
            store.see_session(self._tx, digest)
        return self._identity(found.account, token)

    def sign_out(self, token: str) -> None:
        """End this session; one that is over already is no error."""
        digest = secrets.digest(token)
        found = store.read_session(self._tx, digest)
        if store.end_session(self._tx, digest) and found is not None:
            self._tell("signed out", found.account.name)

    def add_key(
        self,
        label: str,
        *,
        roles: Iterable[str],
        places: Collection[str] | None = None,
        suppliers: Collection[str] | None = None,
        expires_at: datetime | None = None,
        device: bool = False,
    ) -> str:
        """Make a key for a program, or for a till or scanner (`device`); returns its secret.

        The secret is told this once. Raises BadInput for what can't be kept.
        """
        words = " ".join(label.split())
        if not 0 < len(words) <= 80:
            raise BadInput("a key's label has 1 to 80 characters", remedy="say what it is for")
        now = self._tx.clock.now()
        if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now):
            raise BadInput(
                f"{expires_at.isoformat()} is no later moment with a time zone",
                place="expires_at",
                remedy="give a moment to come, such as 2030-01-01T00:00+08:00",
            )
        key = Key(
            id=new_id(),
            label=words,
            roles=rules.checked_roles(roles),
            places=_sorted(places),
            suppliers=_sorted(suppliers),
            device=device,
            created_at=now,
            expires_at=expires_at,
            revoked_at=None,
        )
        self._check_scope(key.roles, places, suppliers)
        if device:
            rules.check_device(key.roles, places)
        secret = secrets.KEY_PREFIX + secrets.new_token()
        store.add_key(self._tx, key, secret=secrets.digest(secret))
        self._audit.record("key added", f"key {key.id}", {"label": words, **_told(key)})
        return secret

    def keys(self) -> list[Key]:
        """All keys, oldest first, also those that are no longer taken."""
        return store.read_keys(self._tx)

    def revoke_key(self, key: UUID) -> None:
        """Take a key no longer; again is no error. Raises NotFound."""
        label = store.revoke_key(self._tx, key)
        if label is None:
            raise NotFound(f"no key {key}: `sanhe key list` shows them")
        self._audit.record("key revoked", f"key {key}", {"label": label})

    def identify_key(self, secret: str) -> Identity:
        """Who holds this key. Raises Denied for one unknown, revoked or expired."""
        found = store.read_key(self._tx, secrets.digest(secret))
        now = self._tx.clock.now()
        if (
            found is None
            or found.revoked_at is not None
            or (found.expires_at is not None and found.expires_at <= now)
        ):
            raise Denied("this key is not taken: ask an administrator for another")
        scope = self._scope(found.places, found.suppliers)
        return Identity(f"key {found.label}", found.roles, scope, None, "zh-CN", "")

    def start_second_factor(self, name: str) -> str:
        """Draw a second factor and return what an authenticator app reads (otpauth URI).

        It counts from `confirm_second_factor` on; until then an earlier one does.
        """
        account = self._require(name)
        key = secrets.new_factor()
        store.wait_for_factor(self._tx, account.name, key)
        self._tell("second factor begun", account.name)
        return secrets.factor_uri(account.name, key)

    def confirm_second_factor(self, name: str, code: str) -> None:
        """Take the factor into use with a code of it. Raises Denied, NotFound."""
        found = store.read_credentials(self._tx, self._require(name).name)
        assert found is not None
        key = found.waiting_factor
        if key is None:
            raise NotFound(f"{found.account.name} has begun no second factor: begin one first")
        step = secrets.step_of(key, code, rules.code_steps(self._tx.clock.now()))
        if step is None or not store.keep_factor(self._tx, found.account.name, key, step=step):
            raise Denied("this is not the code of now: look at the app and at the clocks")
        self._tell("second factor confirmed", found.account.name)

    def drop_second_factor(self, name: str) -> None:
        """Let an account whose device is lost sign in with its password alone."""
        account = self._require(name)
        store.drop_factor(self._tx, account.name)
        self._tell("second factor dropped", account.name)

    def _keep(self, account: Account, *, password: str | None) -> None:
        self._check_scope(account.roles, account.places, account.suppliers)
        store.alone(self._tx)
        if store.read_account(self._tx, account.name) is not None:
            raise Conflict(
                f"the name {account.name!r} is taken: choose another", code=Code.NAME_TAKEN
            )
        store.add_account(self._tx, account, password=password)
        self._tell("account added", account.name, _told(account))

    def _account_of(self, granted: Granted) -> Account:
        """The account of this subject, made when there is none."""
        found = store.read_account_of(self._tx, granted.issuer, granted.subject)
        if found is not None:
            return found
        store.alone(self._tx)  # and look again: two may come at once for the first time
        found = store.read_account_of(self._tx, granted.issuer, granted.subject)
        if found is not None:
            return found
        try:
            account = Account(
                id=new_id(),
                name=rules.checked_name(granted.name),
                roles=granted.roles,
                places=granted.places,
                suppliers=granted.suppliers,
                language=granted.language,
                active=True,
                has_second_factor=False,
            )
        except BadInput as error:
            raise granted.refused(error.what, why="name") from error
        try:
            self._keep(account, password=None)
        except BadInput as error:
            raise granted.refused(error.what, why="places") from error
        except Conflict as error:
            raise granted.refused(str(error), why="name") from error
        self.link(account.name, granted.issuer, subject=granted.subject)
        return account

    def _begin(self, account: Account, details: dict[str, Json]) -> SignedIn:
        token = secrets.new_token()
        store.begin_session(self._tx, secrets.digest(token), account.id)
        self._tell("signed in", account.name, details)
        now = self._tx.clock.now()
        return SignedIn(token, self._identity(account, token), rules.expiry(now, now))

    def _take_attempts(self, by_name: str | None, by_address: str) -> None:
        with self._tx.apart() as apart:
            wait = store.take_attempt(apart, by_address, rules.BY_ADDRESS)
            if not wait and by_name is not None:
                wait = store.take_attempt(apart, by_name, rules.BY_NAME)
        if wait:
            raise TooMany(f"too many attempts: wait {wait} seconds", retry_after_seconds=wait)

    def _check_code(self, found: Credentials, code: str | None, address: str) -> None:
        if found.factor is None:
            return
        name = found.account.name
        if not code:
            raise Denied("the code of the second factor is missing", needs_code=True)
        step = secrets.step_of(found.factor, code, rules.code_steps(self._tx.clock.now()))
        if step is None or not store.use_step(self._tx, name, step):
            self._refuse(name, address, why="code")

    def _refuse(self, name: str | None, address: str, *, why: str) -> NoReturn:
        """Keep what was tried, whatever becomes of this transaction, and raise Denied.

        What was typed for a name that is none is not kept: it may be a password.
        """
        details: dict[str, Json] = {"address": address, "why": why}
        with self._tx.apart() as apart:
            subject = "account" if name is None else f"account {name}"
            PostgresAudit(apart).record("sign-in refused", subject, details)
        what = "the code is wrong or was used" if why == "code" else "name or password is wrong"
        raise Denied(what, needs_code=why == "code", code=Code.WRONG_PASSWORD)

    def _require(self, name: str) -> Account:
        found = store.read_account(self._tx, rules.checked_name(name))
        if found is None:
            raise NotFound(f"no account {name!r}: `sanhe account list` shows them")
        return found

    def _check_scope(
        self,
        roles: Collection[Role],
        places: Collection[str] | None,
        suppliers: Collection[str] | None,
    ) -> None:
        rules.check_scope(roles, places, suppliers)
        unknown = self._places.unknown(places or ())
        if unknown:
            raise BadInput(
                f"no place {unknown[0]!r}", place="places", remedy="import places, or mend the code"
            )

    def _identity(self, account: Account, token: str) -> Identity:
        return Identity(
            actor=account.name,
            roles=account.roles,
            scope=self._scope(account.places, account.suppliers),
            account=account.id,
            language=account.language,
            csrf=secrets.csrf_of(token),
        )

    def _scope(self, places: tuple[str, ...] | None, suppliers: tuple[str, ...] | None) -> Scope:
        return Scope(
            None if places is None else self._places.below(places),
            None if suppliers is None else frozenset(suppliers),
        )

    def _tell(self, action: str, name: str, details: dict[str, Json] | None = None) -> None:
        self._audit.record(action, f"account {name}", details)


def _sorted(names: Collection[str] | None) -> tuple[str, ...] | None:
    return None if names is None else tuple(sorted(set(names)))


def _told(of: Account | Key) -> dict[str, Json]:
    told: dict[str, Json] = {
        "roles": sorted(of.roles),
        "places": None if of.places is None else list(of.places),
        "suppliers": None if of.suppliers is None else list(of.suppliers),
    }
    if isinstance(of, Account):
        told |= {"language": of.language, "active": of.active}
    return told
