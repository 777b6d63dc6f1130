-- Grain and key: SKU x place; `series` numbers them from 0 in the order of SKU, then place.
-- Meaning: what is forecast. A series starts at its first sale fact (a reported zero counts) or at
-- the first day its shelf was counted with stock; one that shows neither a sale fact nor stock on
-- or after `first_day` is asleep and is left out.
-- Inputs: sale_cell, stock_counted. Parameters: as_of, first_day.
SELECT
    CAST(row_number() OVER (ORDER BY sku, place) - 1 AS INTEGER) AS series,
    sku,
    place,
    start_day
FROM (
    SELECT sku, place, min(day) AS start_day, max(day) AS last_day
    FROM (
        SELECT sku, place, day FROM sale_cell
        UNION ALL
        SELECT sku, place, day
        FROM stock_counted
        WHERE quantity > 0 AND day < CAST($as_of AS DATE)
    ) AS seen
    GROUP BY sku, place
) AS span
WHERE last_day >= CAST($first_day AS DATE)
