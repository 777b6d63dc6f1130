-- Grain and key: series x own x day_offset.
-- Meaning: the shelf price from this day on, in minor units; own = set for this place, which wins
-- over a price for all places. Prices set before the panel begin at offset 0 (the last one holds).
-- Known at as_of: all prices; a shelf price is set ahead of its first day.
-- Inputs: series, price_set. Parameters: first_day, end_day.
SELECT
    series.series,
    price.place IS NOT NULL AS own,
    price.day_offset,
    CAST(arg_max(price.amount_cents, price.day) AS DOUBLE) AS price_cents
FROM (
    SELECT
        sku,
        place,
        amount_cents,
        day,
        CAST(greatest(date_diff('day', CAST($first_day AS DATE), day), 0) AS INTEGER) AS day_offset
    FROM price_set
    WHERE day < CAST($end_day AS DATE) AND amount_cents > 0
) AS price
INNER JOIN series
    ON series.sku = price.sku AND (price.place IS NULL OR price.place = series.place)
GROUP BY series.series, price.place IS NOT NULL, price.day_offset
