-- Grain and key: SKU x place x day of arrival; all before oldest_day on one row, at the newest.
-- Meaning: goods that came in, by receipt or by transfer from another place.
-- Inputs: purchase_received, stock_moved (current facts). Parameters: as_of, oldest_day.
WITH arrival AS (
    SELECT sku, place, day, quantity FROM purchase_received
    UNION ALL
    SELECT sku, place, day, quantity
    FROM stock_moved
    WHERE (payload ->> 'reason') = 'transfer_in'
)
SELECT sku, place, max(day) AS day, CAST(sum(quantity) AS DOUBLE) AS quantity
FROM arrival
WHERE quantity > 0 AND day < CAST($as_of AS DATE)
GROUP BY sku, place, CASE WHEN day >= CAST($oldest_day AS DATE) THEN day END
ORDER BY sku, place, day DESC
