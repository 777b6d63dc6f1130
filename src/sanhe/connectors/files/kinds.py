"""The kinds of fields: how a cell is read as one, and what is said when it can't be.

Everything here is a DuckDB scalar expression over one raw column, so that millions of rows are
read and checked without a loop. `Parsed.value` is null where the cell is empty or can't be read;
`Parsed.faults` explain an unreadable cell, `Parsed.limits` judge a readable one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from sanhe.connectors.files.mapping import Field, ReadOptions

SQL_TYPES: Final = {
    "text": "VARCHAR",
    "code": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "quantity": "BIGINT",
    "money": "BIGINT",
    "share": "DOUBLE",
    "date": "DATE",
    "timestamp": "TIMESTAMP",
    "time": "VARCHAR",
    "bool": "BOOLEAN",
    "weekdays": "VARCHAR",
}
LARGEST: Final = 1_000_000_000
"""Larger quantities and amounts are taken for a mistake."""

_NUMERIC: Final = frozenset({"integer", "number", "quantity", "money", "share"})
_YEAR_FIRST: Final = r"([0-9]{4})\s*[-/.年]\s*([0-9]{1,2})\s*[-/.月]\s*([0-9]{1,2})\s*日?"
_CLOCK: Final = r"([T ]\s*[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?)"
_OFFSET: Final = r"(Z|[+-][0-9]{2}:?[0-9]{2})"
_SHORT_DATE: Final = r"([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4}|[0-9]{2})([T ].*)?"
_NOTHING: Final = "('null', 'none', 'n/a', 'na', 'nan', '-', '--', '—', '无', '/')"


@dataclass(frozen=True, slots=True)
class Check:
    """When `condition` holds, the cell is refused for `reason`, and `remedy` mends it.

    `reason` and `remedy` are SQL string expressions.
    """

    condition: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Parsed:
    """A cell read as a kind, in three steps, so that no expression is written out twice.

    `text` is over the raw column and null where the cell is empty; its result is called `t`.
    `measure` is over `t` and null where the cell can't be read; its result is called `m`.
    `value` is over `m`. `faults` are over `t`, `limits` over `t` and `m`. `utc` is over `t`:
    the absolute time of timestamps that carry an offset.
    """

    text: str
    t: str
    m: str
    measure: str
    value: str
    faults: tuple[Check, ...] = ()
    limits: tuple[Check, ...] = ()
    utc: str | None = None


def literal(value: str) -> str:
    """A SQL string literal."""
    return "'" + value.replace("'", "''") + "'"


def parse(field: Field, column: str, *, column_type: str, read: ReadOptions, number: int) -> Parsed:
    """How `column` of the given DuckDB type is read as the field's kind.

    `number` keeps the names of the steps of several fields apart.
    """
    t, m = f"t{number}", f"m{number}"
    textual = column_type == "VARCHAR"
    start = Parsed(_clean(column) if textual else f"CAST({column} AS VARCHAR)", t, m, t, m)
    if field.kind in _NUMERIC:
        if textual:
            return _number(field, start, read)
        return _numeric(field, replace(start, text=column), column_type)
    if field.kind in {"date", "timestamp"}:
        if column_type == "DATE" or column_type.startswith("TIMESTAMP"):
            typed = replace(start, text=column)
            return _dated(field, typed, column_type=column_type, read=read)
        return _date(start, read) if field.kind == "date" else _timestamp(field, start, read)
    plain = {"bool": _bool, "weekdays": _weekdays, "time": _time}
    if field.kind in plain:
        return plain[field.kind](start)
    return _code(start, column_type) if field.kind == "code" else _text(start)


def _clean(column: str) -> str:
    return f"nullif(trim({column}, ' \t\r\n\u00a0\u3000\ufeff'), '')"


def _says(reason: str, remedy: str) -> tuple[str, str]:
    return literal(reason), literal(remedy)


SPREADSHEET_FAULT: Final = (
    r"#(N/A|REF!|VALUE!|DIV/0!|NAME\?|NUM!|NULL!).*",
    *_says("a spreadsheet's error value", "correct the formula and save the sheet again"),
)


IN_READ: Final = " under [read] of the mapping"
"""Where the ways of writing numbers and dates are named."""


def _spreadsheet_fault(text: str) -> Check:
    pattern, reason, remedy = SPREADSHEET_FAULT
    return Check(f"regexp_full_match({text}, '{pattern}')", reason, remedy)


def _text(start: Parsed) -> Parsed:
    return replace(start, limits=(_spreadsheet_fault(start.t), _control(start.t)))


def _code(start: Parsed, column_type: str) -> Parsed:
    t = start.t
    if column_type in {"DOUBLE", "FLOAT"} or column_type.startswith("DECIMAL"):
        start = replace(start, measure=f"regexp_replace({t}, '\\.0+$', '')")
    mangled = Check(
        f"regexp_full_match({start.m}, '[0-9](\\.[0-9]+)?[eE]\\+?[0-9]+')",
        *_says(
            "a spreadsheet turned the code into a rounded number",
            "format the column as text in the source and export again",
        ),
    )
    long = Check(
        f"length({t}) > 200", *_says("a code of over 200 characters", "map the right column")
    )
    return replace(start, limits=(_spreadsheet_fault(t), _control(t), mangled, long))


def _control(text: str) -> Check:
    return Check(
        f"regexp_matches({text}, '[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]')",
        *_says("a control character", "remove it in the source"),
    )


def _numeric(field: Field, start: Parsed, column_type: str) -> Parsed:
    """A column that holds numbers already."""
    t = start.t
    not_finite = Check(
        "true", *_says("not a number", "correct the value in the source, or leave it empty")
    )
    measure = f"TRY_CAST({t} AS DOUBLE)"
    if column_type in {"FLOAT", "DOUBLE"}:
        start = replace(start, text=f"CASE WHEN NOT isnan({start.text}) THEN {start.text} END")
        measure = f"CASE WHEN isfinite({t}) THEN CAST({t} AS DOUBLE) END"
        if column_type == "FLOAT" and field.kind in {"number", "share"}:
            # By way of its shortest text 0.909 stays 0.909 and does not become 0.90899997.
            measure = f"CASE WHEN isfinite({t}) THEN CAST(CAST({t} AS VARCHAR) AS DOUBLE) END"
    return _scaled(field, replace(start, measure=measure), faults=(not_finite,))


def _number(field: Field, start: Parsed, read: ReadOptions) -> Parsed:
    decimal, thousands = read.decimal or ".", read.thousands or ""
    shown = f"translate({start.text}, '０１２３４５６７８９．－＋，％', '0123456789.-+,%')"
    if field.kind == "money":
        shown = f"trim(regexp_replace({shown}, '[¥￥$€£元]', '', 'g'))"
    shown = f"regexp_replace({shown}, '^([0-9.,]+)-$', '-\\1')"
    empty = f"{start.text} IS NULL OR lower({start.text}) IN {_NOTHING}"
    start = replace(start, text=f"CASE WHEN {empty} THEN NULL ELSE {shown} END")
    t = start.t
    bare = f"regexp_replace({t}, '\\s*%$', '')" if field.kind == "share" else t
    plain = bare
    if thousands:
        plain = f"replace({plain}, {literal(thousands)}, '')"
    if decimal != ".":
        plain = f"replace({plain}, {literal(decimal)}, '.')"
    measure = f"TRY_CAST({plain} AS DOUBLE)"
    if field.kind == "share":
        measure = f"{measure} / CASE WHEN ends_with({t}, '%') THEN 100 ELSE 1 END"
    measure = f"CASE WHEN {_well_formed(bare, decimal, thousands)} THEN {measure} END"
    faults = _number_faults(t, decimal, thousands)
    return _scaled(field, replace(start, measure=measure), faults=faults)


def _well_formed(text: str, decimal: str, thousands: str) -> str:
    point = "\\" + decimal
    fraction = f"({point}[0-9]*)?"
    plain = f"[+-]?([0-9]+{fraction}|{point}[0-9]+)([eE][+-]?[0-9]+)?"
    if thousands:
        mark = "\\" + thousands if thousands in ".,'" else thousands
        plain = f"({plain}|[+-]?[0-9]{{1,3}}({mark}[0-9]{{3}})+{fraction})"
    return f"regexp_full_match({text}, {literal(plain)})"


def _number_faults(text: str, decimal: str, thousands: str) -> tuple[Check, ...]:
    def when(pattern: str, reason: str, remedy: str) -> Check:
        return Check(f"regexp_full_match({text}, {literal(pattern)})", *_says(reason, remedy))

    faults = [_spreadsheet_fault(text)]
    if decimal == "." and not thousands:
        faults += [
            when(
                r"[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+",
                "thousands separators",
                'set thousands = ","' + IN_READ,
            ),
            when(
                r"[+-]?[0-9]{1,3}(\.[0-9]{3})+,[0-9]+",
                "a decimal comma and points between thousands",
                'set decimal = "," and thousands = "."' + IN_READ,
            ),
            when(
                r"[+-]?[0-9]{1,3}(,[0-9]{3})+",
                "a thousands separator or a decimal comma",
                'set thousands = "," if it is thousands, decimal = "," if a fraction,' + IN_READ,
            ),
            when(r"[+-]?[0-9]*,[0-9]+", "a decimal comma", 'set decimal = "," (--decimal ,)'),
            when(
                r"[+-]?[0-9]{1,3}([ '\x{00A0}\x{202F}][0-9]{3})+(\.[0-9]+)?",
                "spaces or quotes between thousands",
                "export without it, or set thousands to the mark used" + IN_READ,
            ),
        ]
    elif decimal == "." and thousands:
        faults.append(
            when(
                r".*[0-9],[0-9]{1,2}",
                "a decimal comma",
                'set decimal = "," and thousands = "."' + IN_READ,
            )
        )
    elif decimal == ",":
        faults.append(
            when(
                r"[+-]?[0-9.,]*\.[0-9.,]*",
                'a point although decimal = ","',
                'write numbers one way throughout, or set thousands = "."' + IN_READ,
            )
        )
    unit = r"[+-]?[0-9.,]+\s*\p{L}+\.?"
    faults.append(when(unit, "a number with its unit", "put the number alone into the column"))
    faults.append(Check("true", *_says("not a number", "correct it in the source, or map another")))
    return tuple(faults)


def _scaled(field: Field, start: Parsed, *, faults: tuple[Check, ...]) -> Parsed:
    default = {"money": 100.0}.get(field.kind, 1.0)
    scale = field.scale if field.scale is not None else default
    number = start.m if scale == 1.0 else f"{start.m} * {scale!r}"
    whole = field.kind in {"integer", "quantity", "money"}
    bound = LARGEST * 100 if field.kind == "money" else LARGEST
    limits = [
        Check(
            f"abs({number}) > {bound}",
            *_says("larger than any real figure", "check the unit and the column"),
        )
    ]
    if field.kind in {"integer", "quantity"} and field.rounding == "exact":
        limits.append(_fraction(field, number))
    if field.kind == "money":
        limits.append(
            Check(
                f"{start.m} <> 0 AND round({number}) = 0",
                *_says("less than the smallest coin", "give the cost per case instead"),
            )
        )
    limits += _bounds(field, start.m)
    value = f"TRY_CAST(round({number}) AS BIGINT)" if whole else number
    return replace(start, value=value, faults=faults, limits=tuple(limits))


def _fraction(field: Field, number: str) -> Check:
    condition = f"abs({number} - round({number})) > 1e-6 * greatest(1, abs({number}))"
    if field.kind == "integer":
        return Check(condition, *_says("not a whole number", "correct it in the source"))
    return Check(
        condition,
        *_says(
            "a fraction of a base unit",
            "give whole base units, or name the scale: for goods kept in grams and a file in kg, "
            f"[fields.{field.name}] scale = 1000",
        ),
    )


def _bounds(field: Field, measure: str) -> list[Check]:
    low, high = field.minimum, field.maximum
    if field.kind == "share":
        low, high = (0.0 if low is None else low), (1.0 if high is None else high)
    checks = []
    if low is not None:
        words = "negative" if low == 0 else f"below {low:g}"
        remedy = f"give {low:g} or more; the sign or the column may be wrong"
        checks.append(Check(f"{measure} < {low!r}", *_says(words, remedy)))
    if high is not None:
        remedy = f"give {high:g} at most; check the unit"
        checks.append(Check(f"{measure} > {high!r}", *_says(f"above {high:g}", remedy)))
    return checks


def _year_first(text: str) -> str:
    """A date that begins with its year, in the ways of writing that can't be misread."""
    fast = f"CASE WHEN regexp_full_match({text}, '[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}') THEN"
    fast += f" TRY_CAST({text} AS DATE)"
    compact = f"WHEN regexp_full_match({text}, '[0-9]{{8}}') THEN"
    compact += f" CAST(try_strptime({text}, '%Y%m%d') AS DATE)"
    pattern = literal("^" + _YEAR_FIRST + "(" + _CLOCK + _OFFSET + "?)?$")
    parts = f"regexp_replace({text}, {pattern}, '\\1-\\2-\\3')"
    slow = f"WHEN regexp_matches({text}, {pattern}) THEN"
    slow += f" CAST(try_strptime({parts}, '%Y-%m-%d') AS DATE)"
    return f"{fast} {compact} {slow} END"


def _date_limits(value: str) -> tuple[Check, ...]:
    condition = f"year({value}) NOT BETWEEN 1950 AND 2100"
    return (Check(condition, *_says("an impossible year", "correct the date in the source")),)


def _date_faults(text: str, read: ReadOptions) -> tuple[Check, ...]:
    short = f"regexp_full_match({text}, {literal(_SHORT_DATE)})"
    first = f"TRY_CAST(regexp_extract({text}, {literal(_SHORT_DATE)}, 1) AS INTEGER)"
    second = f"TRY_CAST(regexp_extract({text}, {literal(_SHORT_DATE)}, 2) AS INTEGER)"
    mark = f"regexp_extract({text}, '[-/.]')"
    year = f"CASE WHEN regexp_matches({text}, '[0-9]{{4}}') THEN '%Y' ELSE '%y' END"
    asked = literal(read.date_format or "")
    tail = "'\" (--date-format)'"
    day_first = f"concat('set date_format = \"%d', {mark}, '%m', {mark}, {year}, {tail})"
    month_first = f"concat('set date_format = \"%m', {mark}, '%d', {mark}, {year}, {tail})"
    either = (
        f"concat('say which: date_format = \"%d', {mark}, '%m', {mark}, {year}, '\" or \"%m', "
        f"{mark}, '%d', {mark}, {year}, {tail})"
    )
    serial = f"regexp_full_match({text}, '[1-6][0-9]{{4}}(\\.[0-9]+)?')"
    like_date = f"regexp_matches({text}, {literal('^' + _YEAR_FIRST)}) OR regexp_full_match({text},"
    like_date += " '[0-9]{8}')"
    faults = [_spreadsheet_fault(text)]
    if read.date_format is None:
        ambiguous = literal("an ambiguous date: the day or the month may come first")
        faults += [
            Check(f"{short} AND {first} > 12 AND {second} <= 12", ambiguous, day_first),
            Check(f"{short} AND {second} > 12 AND {first} <= 12", ambiguous, month_first),
            Check(f"{short} AND {first} <= 12", ambiguous, either),
        ]
    else:
        reason = f"concat('no date of the form ', {asked})"
        correct = literal("correct the cell, or set another date_format")
        faults.append(Check(f"{short}", reason, correct))
    faults += [
        Check(
            serial,
            *_says("a spreadsheet's day number", "format the column as a date and export again"),
        ),
        Check(like_date, *_says("an impossible date", "correct the date in the source")),
        Check("true", *_says("not a date", "write dates as 2024-03-31, or set date_format")),
    ]
    return tuple(faults)


def _dated(field: Field, start: Parsed, *, column_type: str, read: ReadOptions) -> Parsed:
    """A column that holds dates or times already."""
    t, zone = start.t, literal(read.time_zone or "UTC")
    limits = _date_limits(start.m)
    if field.kind == "date":
        return replace(start, measure=f"CAST({t} AS DATE)", limits=limits)
    if column_type == "TIMESTAMP WITH TIME ZONE":
        return replace(start, measure=f"timezone({zone}, {t})", limits=limits, utc=t)
    measure = f"CAST({t} AS TIMESTAMP)"
    if column_type == "DATE":
        measure = f"{t} + CAST({literal(field.moment)} AS INTERVAL)"
    return replace(start, measure=measure, limits=limits)


def _date(start: Parsed, read: ReadOptions) -> Parsed:
    measure = _any_date(start.t, read)
    faults = _date_faults(start.t, read)
    return replace(start, measure=measure, faults=faults, limits=_date_limits(start.m))


def _any_date(text: str, read: ReadOptions) -> str:
    year_first = _year_first(text)
    if read.date_format is None:
        return year_first
    asked = f"CAST(try_strptime({text}, {literal(read.date_format)}) AS DATE)"
    return f"coalesce({asked}, {year_first})"


def _timestamp(field: Field, start: Parsed, read: ReadOptions) -> Parsed:
    t, zone = start.t, literal(read.time_zone or "UTC")
    offset = literal("^" + _YEAR_FIRST + _CLOCK + _OFFSET + "$")
    utc = f"CASE WHEN regexp_matches({t}, {offset}) THEN TRY_CAST({t} AS TIMESTAMPTZ) END"
    pattern = literal("^" + _YEAR_FIRST + _CLOCK + "$")
    iso = f"regexp_replace({t}, {pattern}, '\\1-\\2-\\3\\4')"
    local = f"CASE WHEN regexp_matches({t}, {pattern}) THEN TRY_CAST({iso} AS TIMESTAMP) END"
    formats = ["%Y%m%d%H%M%S", "%Y%m%d %H:%M:%S", "%Y%m%d %H:%M"]
    if read.date_format is not None:
        form = read.date_format
        formats += [f"{form} %H:%M:%S", f"{form} %H:%M"] if "%H" not in form else [form]
    other = f"try_strptime({t}, [{', '.join(literal(form) for form in formats)}])"
    moment = f"CAST({literal(field.moment)} AS INTERVAL)"
    measure = (
        f"coalesce({local}, timezone({zone}, {utc}), {other}, {_any_date(t, read)} + {moment})"
    )
    faults = _date_faults(t, read)
    return replace(start, measure=measure, faults=faults, limits=_date_limits(start.m), utc=utc)


def _bool(start: Parsed) -> Parsed:
    yes = "('true', 't', '1', '1.0', 'yes', 'y', '是', '有', '真')"
    no = "('false', 'f', '0', '0.0', 'no', 'n', '否', '无', '假')"
    word = f"lower({start.t})"
    measure = f"CASE WHEN {word} IN {yes} THEN true WHEN {word} IN {no} THEN false END"
    fault = Check("true", *_says("neither yes nor no", "write 1 or 0, yes or no, 是 or 否"))
    return replace(start, measure=measure, faults=(fault,))


def _weekdays(start: Parsed) -> Parsed:
    numbers = f"translate({start.t}, '一二三四五六日天', '12345677')"
    for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"), start=1):
        numbers = f"regexp_replace({numbers}, '(?i)\\b{name}[a-z]*', '{number}', 'g')"
    days = f"regexp_extract_all(regexp_replace({numbers}, '[周星期]', '', 'g'), '[0-9]')"
    left = f"regexp_replace({numbers}, '[1-7,，、;/\\s周星期]', '', 'g')"
    listed = f"array_to_string(list_sort(list_distinct({days})), ',')"
    fault = Check("true", *_says("no weekdays", "write them as 1,3,5 with 1 = Monday"))
    return replace(start, measure=f"CASE WHEN {left} = '' THEN {listed} END", faults=(fault,))


def _time(start: Parsed) -> Parsed:
    measure = f"strftime(try_strptime({start.t}, ['%H:%M', '%H:%M:%S']), '%H:%M')"
    fault = Check("true", *_says("no time of day", "write it as 04:00"))
    return replace(start, measure=measure, faults=(fault,))
