"""The installation: database, lake, settings and clock, opened once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from sanhe.connectors.courier import ByHand
from sanhe.core.clock import Clock, SystemClock
from sanhe.core.commands import Answer, Lane, Rush
from sanhe.core.lake import Lake, ParquetLake, refresh, scoped
from sanhe.core.persons import UNSAVED
from sanhe.core.scope import EVERYTHING, Scope
from sanhe.core.settings import Settings
from sanhe.core.storage import Database, Saved, backup, restore
from sanhe.core.values import Json
from sanhe.goods.demand import Demand
from sanhe.goods.replenish import Policy
from sanhe.models.forecast import ACCURATE, ChampionSettings
from sanhe.place.fulfil import Couriers
from sanhe.place.orders import Payments
from sanhe.wiring.ordering import Ordered, place_orders
from sanhe.wiring.providers import Providers
from sanhe.wiring.work import EVERYWHERE, Work, construct, register_kinds

KEPT_FOLDERS = ("keys", "lake", "orders", "rejects")


@dataclass(frozen=True, slots=True)
class Sanhe:
    """An opened installation. Use it as a context manager; `work` gives a transaction.

    `payments`: the payment providers by name. `couriers`: who brings parcels; by hand until others
    are connected. `rush` tells which SKUs many want at once, `lane` places their orders.
    """

    settings: Settings
    clock: Clock
    database: Database
    lake: ParquetLake
    effort: ChampionSettings = ACCURATE
    payments: Mapping[str, Payments] = field(default_factory=dict)
    couriers: Couriers = field(default_factory=ByHand)
    rush: Rush = field(default_factory=Rush)
    lane: Lane[Ordered, Answer] | None = None

    @classmethod
    @contextmanager
    def open(
        cls,
        settings: Settings,
        *,
        clock: Clock | None = None,
        effort: ChampionSettings = ACCURATE,
        couriers: Couriers | None = None,
    ) -> Iterator[Sanhe]:
        """Open the installation of these settings, making it where there is none yet.

        `effort` is how much work a forecast may be: ACCURATE, or FAST where minutes count.
        """
        settings.home.mkdir(parents=True, exist_ok=True)
        ticking = clock or SystemClock()
        with (
            Database.open(settings, clock=ticking) as database,
            closing(Providers(settings, ticking)) as payments,
        ):
            with database.transaction(actor="open") as tx:
                register_kinds(tx)
            lake = ParquetLake(settings.home / "lake", clock=ticking)
            opened = cls(settings, ticking, database, lake, effort, payments, couriers or ByHand())
            with Lane(partial(place_orders, opened)) as lane:
                yield replace(opened, lane=lane)

    @contextmanager
    def work(self, *, actor: str, scope: Scope = EVERYTHING) -> Iterator[Work]:
        """One transaction by this actor: committed at the end of the block, or nothing.

        It sees what lies in the scope: everything, or what an identity may see.
        """
        with self.database.transaction(actor=actor, scope=scope) as tx:
            yield construct(tx, self.settings)

    def scoped_lake(self, scope: Scope, lake: Lake | None = None) -> Lake:
        """The lake, or one in front of it, with the rows of the scope alone; read only."""
        return scoped(self.lake if lake is None else lake, scope, everywhere=EVERYWHERE)

    @property
    def demand(self) -> Demand:
        """Forecasts over the lake. `refresh_lake` first, so that it knows the newest facts."""
        return Demand(self.lake, settings=self.effort, customers=self.settings.customers)

    def policy(self, file: Path | None = None) -> Policy:
        """The order policy of this file, of SANHE_POLICY, or else the shipped one.

        Raises BadInput for a file that is missing or can't be read as a policy.
        """
        return Policy.load(file or self.settings.policy)

    @property
    def orders_folder(self) -> Path:
        """Where purchase orders are written."""
        return self.settings.home / "orders"

    def backup(self, folder: Path) -> Saved:
        """Save database, keys, lake, orders and rejects into a new folder, with checksums.

        The keys of persons are not among them: who erases somebody erases them in backups, too.
        """
        folders = {name: self.settings.home / name for name in KEPT_FOLDERS}
        return backup(self.database, folder, folders=folders, without=UNSAVED)

    @staticmethod
    def restore(settings: Settings, folder: Path) -> Saved:
        """Bring a backup back into an empty home; refuses one that holds data."""
        return restore(folder, settings, folders=KEPT_FOLDERS, clock=SystemClock())

    def verify(self) -> dict[str, Json]:
        """Check ledger, stock and the lake's files, then seal the entries found in order.

        The ledger: its chain, its entries and balances; entries not sealed yet are checked by
        the balances alone, so sealing comes last. The stock: each position against its entries
        and the ledger. The lake: every file against the content it is named by. The digest of
        the facts is given to be compared with another time or installation. Raises Tampered
        naming the first record or file that does not match; then nothing is sealed.
        """
        with self.work(actor="verify") as work:
            found: dict[str, Json] = {
                "ledger entries": work.ledger.verify(),
                "stock positions": work.stock.verify(),
                "lake files": self.lake.verify(),
                "facts digest": work.facts.digest(),
            }
        with self.work(actor="verify") as work:
            work.ledger.seal()
        return found

    def refresh_lake(self) -> None:
        """Copy the facts committed since the last time into the lake."""
        refresh(self.database, self.lake)
