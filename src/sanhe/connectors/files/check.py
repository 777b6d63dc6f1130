"""The checks of an import, in order: cells, codes, dates, keys. What is left becomes facts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, time, timedelta
from typing import Final

from sanhe.connectors.files.duck import (
    BoundField,
    Session,
    Terms,
    fact_query,
    merged_query,
    not_in_codes,
)
from sanhe.connectors.files.kinds import SQL_TYPES, parse
from sanhe.connectors.files.mapping import FactRule, ReadOptions
from sanhe.connectors.files.mapping import Mapping as FileMapping
from sanhe.connectors.files.read import Progress, Source

AHEAD_DAYS: Final = 1100
"""What is announced further ahead than three years is taken for a mistake."""
_MASTERS: Final = {"sku": "SKU", "place": "place", "supplier": "supplier"}


@dataclass(frozen=True, slots=True)
class Known:
    """What the masters hold; None = don't check.

    `calendars` gives places their IANA time zone and the time of day their business day begins.
    """

    skus: Collection[str] | None = None
    places: Collection[str] | None = None
    suppliers: Collection[str] | None = None
    calendars: Mapping[str, tuple[str, time]] = field(default_factory=dict)

    def codes(self, kind: str) -> Collection[str] | None:
        """The codes of "sku", "place" or "supplier"."""
        return {"sku": self.skus, "place": self.places, "supplier": self.suppliers}[kind]


@dataclass(frozen=True, slots=True)
class FactQuery:
    """The facts of one rule: `each` by row of the file, `facts` with equal ones made one.

    `repeated` counts the rows that say again what another row said, and count once.
    """

    rule: FactRule
    each: str
    facts: str
    repeated: int = 0


class Checks:
    """The checks of one import over a session that holds the raw rows."""

    def __init__(
        self,
        session: Session,
        *,
        mapping: FileMapping,
        source_file: Source,
        known: Known,
        used: ReadOptions,
        terms: Terms,
    ) -> None:
        self.session, self.mapping, self.file = session, mapping, source_file
        self.known, self.used, self.terms = known, used, terms
        self.column_of = {header: f"c{i}" for i, header in enumerate(source_file.headers)}

    def run(self, *, as_of: date, create_missing: bool, progress: Progress) -> list[FactQuery]:
        """Reject what can't be used and return the queries of the facts that can."""
        bound = [self.bound(one.name) for one in self.mapping.fields]
        self.session.add_calendars(
            [
                (place, zone, cut_off.strftime("%H:%M:%S"))
                for place, (zone, cut_off) in sorted(self.known.calendars.items())
            ]
        )
        for kind in _MASTERS:
            self.session.add_codes(f"known_{kind}", self.known.codes(kind) or ())
        self.session.lock()
        progress("checking cells", 0.0)
        self.session.check_fields(bound, self.column_of)
        self.session.parse_rows(bound)
        for check in self.mapping.checks:
            self.session.check_row(check, self.mapping.headers.get(check.field, ""))
        rules = list(self.mapping.facts)
        if create_missing:
            rules = [*self.missing_masters(), *rules]
        else:
            self.check_codes()
        names = {one.name for one in bound} | {f"{b.name}__utc" for b in bound if b.timestamp}
        return self.check_facts(rules, names, as_of=as_of, progress=progress)

    def bound(self, name: str) -> BoundField:
        """A field with the expressions that read its column."""
        one = self.mapping.field_named(name)
        header = self.mapping.headers.get(name)
        parsed = None
        if header is not None:
            column_type = self.file.types[self.file.headers.index(header)]
            column = self.column_of[header]
            parsed = parse(
                one, column, column_type=column_type, read=self.used, number=int(column[1:])
            )
        return BoundField(
            name,
            SQL_TYPES[one.kind],
            one.required,
            header=header,
            parsed=parsed,
            timestamp=one.kind == "timestamp",
        )

    def check_codes(self) -> None:
        """Reject rows with codes that the masters don't hold."""
        for one in self.mapping.fields:
            if one.known is None or self.mapping.describes(one.known):
                continue
            if self.known.codes(one.known) is not None:
                self.session.check_known(
                    one.name,
                    self.mapping.headers.get(one.name, ""),
                    table=f"known_{one.known}",
                    what=_MASTERS[one.known],
                )

    def missing_masters(self) -> list[FactRule]:
        """Facts that describe unknown codes by the code alone, older than any real description."""
        types = {
            "sku": ("item.described", "sku", {"name": "{}"}),
            "place": ("place.described", "place", {"name": "{}", "kind": "'store'"}),
            "supplier": ("supplier.described", "party", {"name": "{}"}),
        }
        rules = []
        for one in self.mapping.fields:
            if one.known is None or self.mapping.describes(one.known):
                continue
            type_name, column, payload = types[one.known]
            rules.append(
                FactRule(
                    type=type_name,
                    columns={
                        "external_id": f"'created/{one.known}/' || {one.name}",
                        "day": "DATE '1970-01-02'",
                        column: one.name,
                    },
                    payload={key: text.format(one.name) for key, text in payload.items()},
                    where=not_in_codes(one.name, f"known_{one.known}"),
                    distinct=True,
                )
            )
        return rules

    def check_facts(
        self, rules: list[FactRule], names: set[str], *, as_of: date, progress: Progress
    ) -> list[FactQuery]:
        """Reject rows by the facts they would make: days to come, one key with two contents."""
        done: dict[int, FactQuery] = {}
        # Rules with rows of their own come last: they see only what the others left.
        order = sorted(range(len(rules)), key=lambda number: rules[number].source_rows is not None)
        for step, number in enumerate(order):
            progress("checking keys", step / len(order))
            rule = rules[number]
            if rule.source_rows is not None:
                kept = self.session.keep_rows(f"rows_{number}", rule.source_rows)
                rule = replace(rule, source_rows=kept)
            done[number] = self.checked(rule, names, as_of)
        progress("checking keys", 1.0)
        return [done[number] for number in range(len(rules))]

    def checked(self, rule: FactRule, names: Collection[str], as_of: date) -> FactQuery:
        """One rule's facts, after their days and keys are checked."""
        types = self.session.expression_types(dict(rule.payload), rule)
        self.session.expression_types(
            {key: text for key, text in rule.columns.items() if key != "at"}, rule
        )
        each, facts = (
            fact_query(rule, self.terms, payload_types=types, fields=names, merged=merged)
            for merged in (False, True)
        )
        dated = rule.columns.get("day", rule.columns.get("at", ""))
        last, reason = as_of, f"a date in the future (after {as_of})"
        if rule.announces:
            last = as_of + timedelta(days=AHEAD_DAYS)
            reason = f"a date over {AHEAD_DAYS} days ahead"
        header = self.mapping.headers.get(dated, "")
        self.session.check_days(each, header, last=last, reason=reason)
        repeated = self.session.check_keys(rule, each=each, merged=facts)
        if repeated and not rule.distinct and not rule.sums:
            facts = merged_query(facts)
        return FactQuery(rule, each, facts, repeated)
