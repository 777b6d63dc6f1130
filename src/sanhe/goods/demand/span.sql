-- Grain: one row.
-- Meaning: the first and last business day with a sale fact before as_of, and the number of SKU x
-- place pairs; nulls when there is none.
-- Inputs: sale_day, sale_line. Parameters: as_of.
SELECT
    min(day) AS first_day,
    max(day) AS last_day,
    CAST(count(DISTINCT (sku, place)) AS BIGINT) AS pairs
FROM (
    SELECT sku, place, day FROM sale_day
    UNION ALL
    SELECT sku, place, day FROM sale_line
) AS sale
WHERE day < CAST($as_of AS DATE)
