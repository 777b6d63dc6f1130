-- Grain and key: SKU x place.
-- Meaning: what was sold in the window [first_day, as_of) and when last, gross; a return (negative
-- quantity) is no negative sale. first_seen is the first day with a sale fact or a count.
-- revenue_cents is null where a sale of the window names no amount.
-- Inputs: sale_day, sale_line, stock_counted (current facts). Parameters: as_of, first_day.
WITH sale AS (
    SELECT sku, place, day, quantity, amount_cents FROM sale_day
    UNION ALL
    SELECT sku, place, day, quantity, amount_cents FROM sale_line
),
sold_day AS (
    SELECT
        sku,
        place,
        day,
        CAST(sum(greatest(quantity, 0)) AS DOUBLE) AS quantity,
        CAST(sum(amount_cents) AS BIGINT) AS amount_cents,
        count(*) FILTER (WHERE quantity > 0 AND amount_cents IS NULL) AS without_amount
    FROM sale
    WHERE day < CAST($as_of AS DATE)
    GROUP BY sku, place, day
),
seen AS (
    SELECT sku, place, min(day) AS first_seen
    FROM (
        SELECT sku, place, day FROM sold_day
        UNION ALL
        SELECT sku, place, day FROM stock_counted WHERE day < CAST($as_of AS DATE)
    ) AS any_day
    GROUP BY sku, place
)
SELECT
    seen.sku,
    seen.place,
    seen.first_seen,
    max(sold_day.day) FILTER (WHERE sold_day.quantity > 0) AS last_sale,
    count(*) FILTER (
        WHERE sold_day.quantity > 0 AND sold_day.day >= CAST($first_day AS DATE)
    ) AS sale_days,
    coalesce(
        sum(sold_day.quantity) FILTER (WHERE sold_day.day >= CAST($first_day AS DATE)), 0.0
    ) AS quantity,
    coalesce(
        sum(sold_day.quantity * sold_day.quantity)
            FILTER (WHERE sold_day.day >= CAST($first_day AS DATE)),
        0.0
    ) AS squares,
    CASE
        WHEN coalesce(
            sum(sold_day.without_amount) FILTER (WHERE sold_day.day >= CAST($first_day AS DATE)), 0
        ) = 0
            THEN CAST(
                sum(sold_day.amount_cents) FILTER (WHERE sold_day.day >= CAST($first_day AS DATE))
                AS DOUBLE
            )
    END AS revenue_cents
FROM seen
LEFT JOIN sold_day ON sold_day.sku = seen.sku AND sold_day.place = seen.place
GROUP BY seen.sku, seen.place, seen.first_seen
ORDER BY seen.sku, seen.place
