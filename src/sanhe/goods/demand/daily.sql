-- Grain and key: series x day_offset (days since first_day), only where a sale fact exists.
-- Meaning: sale_cell numbered for the panel.
-- Inputs: sale_cell, series. Parameters: as_of, first_day.
SELECT
    series.series,
    CAST(date_diff('day', CAST($first_day AS DATE), sale_cell.day) AS INTEGER) AS day_offset,
    CAST(sale_cell.quantity AS FLOAT) AS quantity,
    sale_cell.in_stock_share,
    sale_cell.opened_empty
FROM sale_cell
INNER JOIN series ON series.sku = sale_cell.sku AND series.place = sale_cell.place
WHERE sale_cell.day >= CAST($first_day AS DATE)
