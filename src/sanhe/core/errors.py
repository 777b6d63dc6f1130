"""The errors of sanhe. A message names the place and the remedy; the class carries the policy.

Each class has an exit code, so that scripts around the command line can tell them apart.
"""

from __future__ import annotations


class SanheError(Exception):
    """Something sanhe refuses or can't do; the message says what and what to do next."""

    exit_code = 1


class BadInput(SanheError):
    """What was given can't be used: `place` names file, row and column, `remedy` the mend."""

    exit_code = 2

    def __init__(self, what: str, *, place: str = "", remedy: str = "") -> None:
        self.what, self.place, self.remedy = what, place, remedy
        head = f"{place}: {what}" if place else what
        super().__init__(f"{head} ({remedy})" if remedy else head)


class NotFound(SanheError):
    """Nothing is kept under this name or id."""

    exit_code = 3


class Conflict(SanheError):
    """It contradicts what is recorded: other content under the same id, a closed decision."""

    exit_code = 4


class MissingPart(SanheError):
    """An optional part is not installed; the message names the install command."""

    exit_code = 6


class Shortage(SanheError):
    """A bounded account would fall below its floor; nothing was taken."""

    exit_code = 7


class Tampered(SanheError):
    """A stored record does not match its seal; the message names the record."""

    exit_code = 8


class Temporary(SanheError):
    """A job failed for a passing reason and is tried again after `delay_seconds`."""

    exit_code = 9

    def __init__(self, what: str, *, delay_seconds: float) -> None:
        self.delay_seconds = delay_seconds
        super().__init__(what)


class Permanent(SanheError):
    """A job failed for good; trying again would not help."""

    exit_code = 10


class Denied(SanheError):
    """Who asks may not do or see this; signing in anew or an administrator helps.

    `needs_code`: name and password were right, and the second factor's code is asked for.
    """

    exit_code = 11

    def __init__(self, what: str, *, needs_code: bool = False) -> None:
        self.needs_code = needs_code
        super().__init__(what)


class TooMany(SanheError):
    """Too many attempts: the next one is let in after `retry_after_seconds`."""

    exit_code = 12

    def __init__(self, what: str, *, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(what)
