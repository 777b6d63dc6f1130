-- Grain and key: group x base unit x periods back (1 = the period_days before as_of).
-- Meaning: units sold, gross, of a whole category path, of its first level, or of a region; '' where
-- the masters say nothing. Of several descriptions of one code the one with the latest event holds.
-- Inputs: sale_cell, item_described, place_described. Parameters: as_of, by ('category',
-- 'department' or 'region'), period_days.
SELECT
    CASE
        WHEN $by = 'region' THEN coalesce(place.payload ->> 'region', '')
        WHEN $by = 'department' THEN split_part(coalesce(item.payload ->> 'category', ''), '/', 1)
        ELSE coalesce(item.payload ->> 'category', '')
    END AS group_name,
    coalesce(item.payload ->> 'base_unit', '') AS base_unit,
    CAST(
        (date_diff('day', sale_cell.day, CAST($as_of AS DATE)) + $period_days - 1) // $period_days
        AS INTEGER
    ) AS periods_back,
    sum(sale_cell.quantity) AS quantity
FROM sale_cell
LEFT JOIN (
    SELECT sku, arg_max(payload, {'at': epoch_us(event_at), 'source': source}) AS payload
    FROM item_described
    GROUP BY sku
) AS item ON item.sku = sale_cell.sku
LEFT JOIN (
    SELECT place, arg_max(payload, {'at': epoch_us(event_at), 'source': source}) AS payload
    FROM place_described
    GROUP BY place
) AS place ON place.place = sale_cell.place
GROUP BY ALL
