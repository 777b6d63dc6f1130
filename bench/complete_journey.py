"""Coupons of Complete Journey: imported as facts, and added up again to the cent.

    python -m bench.complete_journey --data FOLDER/complete_journey

The lines of receipts with a coupon, and the redemptions, are written as files as a retailer would
export them and imported by the shipped mapping `coupons_used`. A line has the campaign of the
household's redemption of that day whose coupon is for its product, where there is exactly one
campaign. What `used_by_week` then tells per household, campaign and week must be what the source's
own columns sum to (coupon_disc and coupon_match_disc in cents, by another way: whole decimals in
DuckDB), and a second import of the same files must change nothing.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import duckdb

from bench.results_file import write_results
from sanhe.core.settings import Settings
from sanhe.people.coupons import used_by_week
from sanhe.wiring import ImportRequest, Sanhe, import_file

Totals = dict[tuple[str, str | None, str], tuple[int, int, int]]
"""By household, campaign and week: uses, coupon_disc, coupon_match_disc, in cents."""

_ATTRIBUTED = """
CREATE TABLE line AS
SELECT t.household_id, t.basket_id, t.product_id, t.store_id, t.transaction_timestamp AS used_at,
    CAST(round(CAST(CAST(t.coupon_disc AS VARCHAR) AS DECIMAL(12, 4)), 2) AS DECIMAL(12, 2))
        AS disc,
    CAST(round(CAST(CAST(t.coupon_match_disc AS VARCHAR) AS DECIMAL(12, 4)), 2) AS DECIMAL(12, 2))
        AS match_disc,
    CASE WHEN count(DISTINCT r.campaign_id) = 1 THEN any_value(r.campaign_id) END AS campaign_id
FROM transactions AS t
LEFT JOIN (
    SELECT DISTINCT household_id, campaign_id, redemption_date, product_id
    FROM redemptions JOIN coupons USING (coupon_upc, campaign_id)
) AS r ON r.household_id = t.household_id AND r.product_id = t.product_id
    AND CAST(r.redemption_date AS DATE) = CAST(t.transaction_timestamp AS DATE)
WHERE t.coupon_disc <> 0 OR t.coupon_match_disc <> 0
GROUP BY ALL
"""
_LINES = """
COPY (SELECT household_id AS household, strftime(used_at, '%Y-%m-%d %H:%M:%S') AS "used at",
    campaign_id AS campaign, basket_id AS receipt, product_id AS sku, store_id AS store,
    disc AS "coupon disc", match_disc AS "coupon match disc" FROM line) TO '{}' (HEADER)
"""
_USES = """
COPY (SELECT household_id AS household, strftime(redemption_date, '%Y-%m-%d %H:%M:%S') AS "used at",
    campaign_id AS campaign, coupon_upc AS coupon FROM redemptions) TO '{}' (HEADER)
"""
_EXPECTED = """
SELECT CAST(household_id AS VARCHAR), CAST(campaign_id AS VARCHAR),
    strftime(date_trunc('week', CAST(used_at AS DATE)), '%Y-%m-%d'),
    count(*), CAST(sum(disc) * 100 AS BIGINT), CAST(sum(match_disc) * 100 AS BIGINT)
FROM (SELECT household_id, campaign_id, used_at, disc, match_disc FROM line
      UNION ALL SELECT household_id, campaign_id, redemption_date, 0, 0 FROM redemptions)
GROUP BY 1, 2, 3
"""


def read(folder: Path) -> duckdb.DuckDBPyConnection:
    """The source's tables, and the lines with a coupon."""
    source = duckdb.connect()
    for name, file in (
        ("transactions", "transactions"),
        ("coupons", "coupons"),
        ("redemptions", "coupon_redemptions"),
    ):
        path = str(folder / f"{file}.parquet")
        source.read_parquet(path).create_view(name)
    source.execute(_ATTRIBUTED)
    return source


def imported(sanhe: Sanhe, files: list[Path]) -> None:
    """Import files and bring the lake up to date."""
    for file in files:
        import_file(sanhe, ImportRequest(file, mapping="coupons_used"), actor="bench")
    sanhe.refresh_lake()


def told(sanhe: Sanhe) -> Totals:
    """What the product adds up."""
    return {
        (row["member"], row["campaign"], row["week"].isoformat()): (
            row["uses"],
            row["amount_cents"],
            row["match_cents"],
        )
        for row in used_by_week(sanhe.lake).to_pylist()
    }


def main() -> None:
    """Run it and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    folder: Path = parser.parse_args().data
    source = read(folder)
    expected: Totals = {
        (row[0], row[1], row[2]): (row[3], row[4], row[5])
        for row in source.execute(_EXPECTED).fetchall()
    }
    with tempfile.TemporaryDirectory(prefix="sanhe-b-", dir="/tmp") as home:
        files = [Path(home) / "coupon_lines.csv", Path(home) / "redemptions.csv"]
        source.execute(_LINES.format(files[0]))
        source.execute(_USES.format(files[1]))
        settings = replace(Settings(home=Path(home) / "sanhe"), time_zone="UTC")
        with Sanhe.open(settings) as sanhe:
            began = time.perf_counter()
            imported(sanhe, files)
            seconds = time.perf_counter() - began
            first = told(sanhe)
            imported(sanhe, files)
            second = told(sanhe)
    lines, attributed = source.execute("SELECT count(*), count(campaign_id) FROM line").fetchone()
    redemptions = source.execute("SELECT count(*) FROM redemptions").fetchone()[0]
    wrong = sum(first.get(key) != expected.get(key) for key in first.keys() | expected.keys())
    figures = {
        "lines": lines,
        "lines_with_a_campaign": attributed,
        "redemptions": redemptions,
        "households": len({household for household, _, _ in expected}),
        "household_campaign_weeks": len(expected),
        "wrong": wrong,
        "changed_by_a_second_import": int(first != second),
        "coupon_disc_cents": sum(one[1] for one in first.values()),
        "coupon_match_disc_cents": sum(one[2] for one in first.values()),
        "import_seconds": round(seconds, 1),
    }
    print(write_results("complete_journey", figures), figures)
    if wrong or first != second:
        raise SystemExit("what was imported is not what the source sums to")


if __name__ == "__main__":
    main()
