"""The errors of sanhe. A message names the place and the remedy; the class carries the policy.

Each class has an exit code, so that scripts around the command line can tell them apart.
"""

from __future__ import annotations

from enum import StrEnum


class Code(StrEnum):
    """The stable name of a refusal: pages say it in the reader's language, programs go by it.

    One for each class of error, and one for each refusal that people meet at their daily work.
    A name that is published stays.
    """

    REFUSED = "refused"
    BAD_INPUT = "bad_input"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    MISSING_PART = "missing_part"
    SHORTAGE = "shortage"
    TAMPERED = "tampered"
    TEMPORARY = "temporary"
    PERMANENT = "permanent"
    DENIED = "denied"
    TOO_MANY = "too_many"
    FORBIDDEN = "forbidden"
    FORBIDDEN_PART = "forbidden_part"
    SECOND_PERSON = "second_person"
    SIGNED_OUT = "signed_out"
    WRONG_PASSWORD = "wrong_password"
    NOT_ADMITTED = "not_admitted"
    SECOND_FACTOR = "second_factor"
    STALE_PAGE = "stale_page"
    WEAK_PASSWORD = "weak_password"
    NAME_TAKEN = "name_taken"
    LAST_ADMINISTRATOR = "last_administrator"
    PASSWORDS_OFF = "passwords_off"
    DECIDED = "decided"
    OVER = "over"
    REASON_MISSING = "reason_missing"
    NOT_PLANNED = "not_planned"
    NOT_BACKTESTED = "not_backtested"
    OLDER_VERSION = "older_version"
    UNDONE = "undone"
    JOBS_WAITING = "jobs_waiting"
    JOB_FORGOTTEN = "job_forgotten"
    KEY_REUSED = "key_reused"
    KEY_AWAY = "key_away"
    ERASED = "erased"
    PROVIDER_REFUSED = "provider_refused"
    DEVICE_BLOCKED = "device_blocked"
    CLOCK_OFF = "clock_off"
    INVALID = "invalid"
    TOO_LARGE = "too_large"
    NO_OPERATION = "no_operation"
    DATABASE_AWAY = "database_away"
    FAULT = "fault"


class SanheError(Exception):
    """Something sanhe refuses or can't do; the message says what and what to do next."""

    exit_code = 1
    code = Code.REFUSED

    def __init__(self, what: str, *, code: Code | None = None) -> None:
        self.code = code or self.code
        super().__init__(what)


class BadInput(SanheError):
    """What was given can't be used: `place` names file, row and column, `remedy` the mend."""

    exit_code = 2
    code = Code.BAD_INPUT

    def __init__(
        self, what: str, *, place: str = "", remedy: str = "", code: Code | None = None
    ) -> None:
        self.what, self.place, self.remedy = what, place, remedy
        head = f"{place}: {what}" if place else what
        super().__init__(f"{head} ({remedy})" if remedy else head, code=code)


class NotFound(SanheError):
    """Nothing is kept under this name or id."""

    exit_code = 3
    code = Code.NOT_FOUND


class Conflict(SanheError):
    """It contradicts what is recorded: other content under the same id, a closed decision."""

    exit_code = 4
    code = Code.CONFLICT


class MissingPart(SanheError):
    """An optional part is not installed; the message names the install command."""

    exit_code = 6
    code = Code.MISSING_PART


class Shortage(SanheError):
    """A bounded account would fall below its floor; nothing was taken."""

    exit_code = 7
    code = Code.SHORTAGE


class Tampered(SanheError):
    """A stored record does not match its seal; the message names the record."""

    exit_code = 8
    code = Code.TAMPERED


class Temporary(SanheError):
    """A job failed for a passing reason and is tried again after `delay_seconds`."""

    exit_code = 9
    code = Code.TEMPORARY

    def __init__(self, what: str, *, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds
        super().__init__(what)


class Permanent(SanheError):
    """A job failed for good; trying again would not help."""

    exit_code = 10
    code = Code.PERMANENT


class Denied(SanheError):
    """Who asks may not do or see this; signing in anew or an administrator helps.

    `needs_code`: name and password were right, and the second factor's code is asked for.
    """

    exit_code = 11
    code = Code.DENIED

    def __init__(self, what: str, *, needs_code: bool = False, code: Code | None = None) -> None:
        self.needs_code = needs_code
        super().__init__(what, code=Code.SECOND_FACTOR if needs_code else code)


class TooMany(SanheError):
    """Too many attempts: the next one is let in after `retry_after_seconds`."""

    exit_code = 12
    code = Code.TOO_MANY

    def __init__(self, what: str, *, retry_after_seconds: int, code: Code | None = None) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(what, code=code)
