-- Grain and key: series x last_offset (the last day of a period, days since first_day).
-- Meaning: who bought of the series' category at its place in a period; of several paths that cover
-- it the longest counts, of several periods that end together the shortest. Null = not told.
-- Known at as_of: periods that ended before it.
-- Inputs: series_described, demand_customers. Parameters: as_of, first_day.
SELECT
    series,
    last_offset,
    best.buyers AS buyers,
    best.member_share AS member_share,
    best.high_value_share AS high_value_share,
    best.new_share AS new_share,
    best.returning_share AS returning_share
FROM (
    SELECT
        described.series,
        CAST(date_diff('day', CAST($first_day AS DATE), told.until_day) AS INTEGER) AS last_offset,
        arg_max(
            {
                'buyers': CAST(told.payload ->> 'buyers' AS DOUBLE),
                'member_share': CAST(told.payload ->> 'member_share' AS DOUBLE),
                'high_value_share': CAST(told.payload ->> 'high_value_share' AS DOUBLE),
                'new_share': CAST(told.payload ->> 'new_share' AS DOUBLE),
                'returning_share': CAST(told.payload ->> 'returning_share' AS DOUBLE)
            },
            {'path': length(told.category), 'day': told.day, 'at': epoch_us(told.event_at)}
        ) AS best
    FROM (
        SELECT
            *,
            payload ->> 'category' AS category,
            CAST(payload ->> 'until' AS DATE) AS until_day
        FROM demand_customers
    ) AS told
    INNER JOIN series_described AS described
        ON described.place = told.place
        AND (
            described.category = told.category
            OR starts_with(described.category, told.category || '/')
        )
    WHERE told.until_day < CAST($as_of AS DATE)
        AND told.until_day >= CAST($first_day AS DATE)
    GROUP BY described.series, told.until_day
) AS chosen
ORDER BY series, last_offset
