"""The settings of an installation: few, read once from the environment, passed on explicitly."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sanhe.core.errors import BadInput


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the data lies and what the retailer's defaults are.

    `home`: folder of the embedded database, the lake, outgoing files and reports (SANHE_HOME).
    `database_url`: a PostgreSQL server of your own (SANHE_DATABASE_URL); None = embedded.
    `currency`: ISO 4217 code of amounts that name none (SANHE_CURRENCY).
    `time_zone`: IANA zone of places that name none (SANHE_TIME_ZONE).
    `customers`: forecasts learn from who bought, too (SANHE_CUSTOMERS=1); off by default.
    `sign_in`: a file that says how people sign in (SANHE_SIGN_IN); None = name and password.
    `policy`: the order policy's TOML file wherever none is named (SANHE_POLICY); None = shipped.
    `payments`: a file that names payment providers (SANHE_PAYMENTS); None = the till alone.
    `loyalty`: the policy of membership (SANHE_LOYALTY); None = shipped.
    `delivery`: the delivery fee and the policy of sourcing (SANHE_DELIVERY); None = shipped.
    `persons_key`: the file of the key that opens personal data (SANHE_PERSONS_KEY); None =
    persons.key in the home.
    """

    home: Path
    database_url: str | None = None
    currency: str = "CNY"
    time_zone: str = "Asia/Shanghai"
    customers: bool = False
    sign_in: Path | None = None
    policy: Path | None = None
    payments: Path | None = None
    loyalty: Path | None = None
    delivery: Path | None = None
    persons_key: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Settings:
        """The settings the environment gives; raises BadInput when one can't be used."""
        given = os.environ if environment is None else environment
        time_zone = given.get("SANHE_TIME_ZONE", "Asia/Shanghai")
        try:
            ZoneInfo(time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise BadInput(
                f"unknown time zone {time_zone!r}",
                place="SANHE_TIME_ZONE",
                remedy="give an IANA name such as Asia/Shanghai",
            ) from error
        currency = given.get("SANHE_CURRENCY", "CNY")
        if len(currency) != 3 or not currency.isalpha() or not currency.isupper():
            raise BadInput(
                f"{currency!r} is no currency code",
                place="SANHE_CURRENCY",
                remedy="give three capitals such as CNY",
            )
        customers = given.get("SANHE_CUSTOMERS", "0")
        if customers not in ("0", "1"):
            raise BadInput(
                f"{customers!r} is neither 0 nor 1",
                place="SANHE_CUSTOMERS",
                remedy="give 1 to learn from who bought, 0 not to",
            )

        def path(name: str) -> Path | None:
            told = given.get(name)
            return Path(told).expanduser().resolve() if told else None

        return cls(
            home=Path(given.get("SANHE_HOME", "sanhe-data")).expanduser().resolve(),
            database_url=given.get("SANHE_DATABASE_URL") or None,
            currency=currency,
            time_zone=time_zone,
            customers=customers == "1",
            sign_in=path("SANHE_SIGN_IN"),
            policy=path("SANHE_POLICY"),
            payments=path("SANHE_PAYMENTS"),
            loyalty=path("SANHE_LOYALTY"),
            delivery=path("SANHE_DELIVERY"),
            persons_key=path("SANHE_PERSONS_KEY"),
        )
