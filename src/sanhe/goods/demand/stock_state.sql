-- Grain and key: series x day_offset, only days with a count or goods in.
-- Meaning: counted_empty = the last count of the day found nothing; null = not counted. goods_in =
-- something arrived that day. A count is the sum over the lots counted at the same moment.
-- Inputs: series, stock_counted, stock_moved, purchase_received. Parameters: as_of, first_day.
SELECT
    series.series,
    CAST(date_diff('day', CAST($first_day AS DATE), state.day) AS INTEGER) AS day_offset,
    bool_or(state.counted_empty) AS counted_empty,
    bool_or(state.goods_in) AS goods_in
FROM (
    SELECT sku, place, day, arg_max(counted, event_at) <= 0 AS counted_empty, false AS goods_in
    FROM (
        SELECT sku, place, day, event_at, CAST(sum(quantity) AS BIGINT) AS counted
        FROM stock_counted
        GROUP BY sku, place, day, event_at
    ) AS moment
    GROUP BY sku, place, day
    UNION ALL
    SELECT sku, place, day, NULL, true FROM stock_moved WHERE quantity > 0
    UNION ALL
    SELECT sku, place, day, NULL, true FROM purchase_received WHERE quantity > 0
) AS state
INNER JOIN series ON series.sku = state.sku AND series.place = state.place
WHERE state.day >= CAST($first_day AS DATE) AND state.day < CAST($as_of AS DATE)
GROUP BY series.series, state.day
