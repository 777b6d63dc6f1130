-- Grain and key: place x day_offset.
-- Meaning: days on which the place reported any sale fact; on these a SKU without one sold 0, on
-- other days its sales are unknown (closed, or the feed failed).
-- Inputs: sale_cell. Parameters: as_of, first_day.
SELECT DISTINCT
    place,
    CAST(date_diff('day', CAST($first_day AS DATE), day) AS INTEGER) AS day_offset
FROM sale_cell
WHERE day >= CAST($first_day AS DATE)
