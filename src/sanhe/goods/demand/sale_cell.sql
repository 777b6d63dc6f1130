-- Grain and key: SKU x place x business day.
-- Meaning: units sold, gross. A return (negative quantity) is no negative demand and counts as 0
-- sold; till lines are summed to the business day they carry, and where there are any they count and
-- a total of that day does not. in_stock_share and opened_empty are null where no source reports
-- them.
-- Inputs: sale_day, sale_line (current facts). Parameters: as_of (first day that is not visible).
SELECT
    sku,
    place,
    day,
    CAST(
        coalesce(sum(sold) FILTER (WHERE is_line), sum(sold)) AS DOUBLE
    ) AS quantity,
    max(in_stock_share) AS in_stock_share,
    bool_and(opened_empty) AS opened_empty
FROM (
    SELECT
        sku,
        place,
        day,
        false AS is_line,
        greatest(coalesce(quantity, 0), 0) AS sold,
        CAST(payload ->> 'in_stock_share' AS FLOAT) AS in_stock_share,
        CAST(payload ->> 'opened_empty' AS BOOLEAN) AS opened_empty
    FROM sale_day
    UNION ALL
    SELECT sku, place, day, true, greatest(coalesce(quantity, 0), 0), NULL, NULL FROM sale_line
) AS sale
WHERE day < CAST($as_of AS DATE)
GROUP BY sku, place, day
