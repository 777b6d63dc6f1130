"""Which column of a file is which field: by header, in English and Chinese."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from sanhe.connectors.files.mapping import Field, Mapping
from sanhe.core.errors import BadInput

_REMARK: Final = re.compile(r"[(\[（【](.*?)[)\]）】]")
_MONEY: Final = {"元": 100.0, "角": 10.0, "分": 1.0, "万元": 1e6, "cents": 1.0, "cent": 1.0}
_OTHER_UNITS: Final = frozenset(
    {
        *("kg", "公斤", "千克", "斤", "克", "g", "t", "吨", "l", "升", "ml", "毫升"),
        *("箱", "case", "cases", "carton", "cartons", "ctn", "托", "pallet", "打", "dozen"),
    }
)


@dataclass(frozen=True, slots=True)
class Match:
    """A mapping bound to a file's headers: field -> header, and the headers nobody reads."""

    mapping: Mapping
    headers: dict[str, str]
    unread: tuple[str, ...]

    @property
    def missing(self) -> tuple[Field, ...]:
        """Required fields that the file has no column for."""
        return tuple(
            one for one in self.mapping.fields if one.required and one.name not in self.headers
        )


def plain(header: str) -> str:
    """A header without case, width, spaces, punctuation and remarks in brackets."""
    text = unicodedata.normalize("NFKC", header).lower()
    text = _REMARK.sub("", text)
    return re.sub(r"[\s_\-./:*#'\"]+", "", text)


def bind(mapping: Mapping, headers: Sequence[str], *, named: bool = True) -> Match:
    """Find the mapping's fields among the headers: what it names, then synonyms.

    `named`: the mapping was asked for, so headers that fit several mappings count too.
    """
    found: dict[str, str] = {}
    free = list(headers)
    for name, header in mapping.headers.items():
        if header not in headers:
            raise BadInput(
                f"no column {header!r} for {name}",
                place=f"mapping {mapping.name} [headers]",
                remedy=f"the file has {_listed(headers)}",
            )
        found[name] = header
        if header in free:
            free.remove(header)
    by_plain = {plain(header): header for header in reversed(free)}
    for one in mapping.fields:
        if one.name in found:
            continue
        for synonym in (*one.headers, *(one.also if named else ())):
            header = by_plain.get(plain(synonym), "")
            if header in free:
                found[one.name] = header
                free.remove(header)
                break
    return Match(_with_units(mapping, found), found, tuple(free))


def _with_units(mapping: Mapping, found: dict[str, str]) -> Mapping:
    """Scales that headers name in brackets: 金额(元), price (cents). Raises BadInput."""
    changed = []
    for one in mapping.fields:
        remark = _REMARK.search(unicodedata.normalize("NFKC", found.get(one.name, "")).lower())
        unit = remark[1].strip() if remark else ""
        if one.scale is None and one.kind == "money" and unit in _MONEY:
            one = replace(one, scale=_MONEY[unit])
        if one.scale is None and one.kind == "quantity" and unit in _OTHER_UNITS:
            raise BadInput(
                f"quantities in {unit!r}, not in base units",
                place=f"column {found[one.name]}",
                remedy=f"name the scale: [fields.{one.name}] scale = base units per {unit}",
            )
        changed.append(one)
    return replace(mapping, fields=tuple(changed))


def choose(candidates: Sequence[Mapping], headers: Sequence[str], file: str) -> Match:
    """The mapping that reads most of the file among those whose required fields are there.

    Raises BadInput when none fits (naming what is nearest and what it lacks) or two fit alike.
    """
    if len(candidates) == 1:
        match = bind(candidates[0], headers)
        if match.missing:
            raise _lacking(match, headers, file)
        return match
    bound = [_unnamed(mapping, headers) for mapping in candidates]
    matches = [match for match in bound if match is not None]
    fitting = [match for match in matches if not match.missing]
    if not fitting:
        nearest = max(matches, key=lambda m: (len(m.headers) - 2 * len(m.missing), m.mapping.name))
        raise _lacking(nearest, headers, file)
    best = max(_rank(match) for match in fitting)
    first = [match for match in fitting if _rank(match) == best]
    if len(first) > 1:
        names = " or ".join(match.mapping.name for match in first)
        raise BadInput(
            f"its columns fit several mappings: {names}",
            place=file,
            remedy=f"say which, e.g. --as {first[0].mapping.name}",
        )
    return first[0]


def _rank(match: Match) -> tuple[bool, int, int]:
    """A data set's own mapping first, then more columns read, then more of them required."""
    required = sum(one.required for one in match.mapping.fields)
    return (bool(match.mapping.family), len(match.headers), required)


def _unnamed(mapping: Mapping, headers: Sequence[str]) -> Match | None:
    """The binding, or None when a header's unit rules the mapping out."""
    try:
        return bind(mapping, headers, named=False)
    except BadInput:
        if plain_fit(mapping, headers):
            raise
        return None


def plain_fit(mapping: Mapping, headers: Sequence[str]) -> bool:
    """Whether all required fields have a header, whatever its unit."""
    plains = {plain(header) for header in headers}
    return all(
        any(plain(synonym) in plains for synonym in one.headers)
        for one in mapping.fields
        if one.required
    )


def _lacking(match: Match, headers: Sequence[str], file: str) -> BadInput:
    lacking = "; ".join(f"{one.name} ({', '.join(one.headers[:4])})" for one in match.missing)
    found = ", ".join(f"{header} = {name}" for name, header in match.headers.items()) or "none"
    return BadInput(
        f"missing columns for {match.mapping.name}: {lacking}; found {found};"
        f" the file has {_listed(headers)}",
        place=file,
        remedy="rename the columns, name them under [headers] in a mapping file, or set header_row",
    )


def _listed(headers: Sequence[str]) -> str:
    shown = ", ".join(headers[:15])
    return f"{shown}, … ({len(headers)} columns)" if len(headers) > 15 else shown
