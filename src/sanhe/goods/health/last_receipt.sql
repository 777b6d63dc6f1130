-- Grain and key: SKU x place.
-- Meaning: the day goods last arrived.
-- Inputs: purchase_received (current facts). Parameters: as_of.
SELECT sku, place, max(day) AS last_receipt
FROM purchase_received
WHERE quantity > 0 AND day < CAST($as_of AS DATE)
GROUP BY sku, place
ORDER BY sku, place
