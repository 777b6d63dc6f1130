-- Grain and key: SKU x place (series); every series once.
-- Meaning: its start, and what the masters say of its item and place; null where they say nothing.
-- Of several descriptions of one code the one with the latest event holds, as a whole.
-- Inputs: series, item_described, place_described. Parameters: as_of, first_day.
SELECT
    series.series,
    series.sku,
    series.place,
    CAST(date_diff('day', CAST($first_day AS DATE), series.start_day) AS INTEGER) AS start_offset,
    item.payload ->> 'category' AS category,
    item.payload ->> 'base_unit' AS base_unit,
    place.payload ->> 'city' AS city,
    place.payload ->> 'region' AS region
FROM series
LEFT JOIN (
    SELECT sku, arg_max(payload, {'at': epoch_us(event_at), 'source': source}) AS payload
    FROM item_described
    GROUP BY sku
) AS item ON item.sku = series.sku
LEFT JOIN (
    SELECT place, arg_max(payload, {'at': epoch_us(event_at), 'source': source}) AS payload
    FROM place_described
    GROUP BY place
) AS place ON place.place = series.place
