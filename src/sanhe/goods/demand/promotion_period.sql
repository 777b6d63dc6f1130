-- Grain: series x promotion; no key (promotions may overlap: the deepest discount holds).
-- Meaning: first and last day_offset, both included, cut to the panel; discount = price paid /
-- list price; activity = backed by display or a campaign.
-- Known at as_of: announced before it. A promotion announced less than a day before its start
-- carries no announcement of its own (files often give the start only) and counts as known.
-- open_ended = its end is unknown and it still ran on the day before as_of: it goes on.
-- Inputs: series_described, promotion_published. Parameters: as_of, first_day, end_day.
WITH period AS (
    SELECT
        sku,
        place,
        payload ->> 'category' AS category,
        greatest(day, CAST($first_day AS DATE)) AS start_day,
        CASE
            WHEN goes_on THEN CAST($end_day AS DATE) - 1
            ELSE least(until_day, CAST($end_day AS DATE) - 1)
        END AS last_day,
        goes_on AS open_ended,
        coalesce(CAST(payload ->> 'discount' AS FLOAT), 1) AS discount,
        coalesce(CAST(payload ->> 'activity' AS BOOLEAN), false) AS activity
    FROM (
        SELECT
            *,
            CAST(payload ->> 'until' AS DATE) AS until_day,
            make_timestamp(epoch_us(event_at)) AS announced_at,
            make_timestamp(epoch_us(event_at)) >= day - INTERVAL 1 DAY AS unannounced,
            coalesce(CAST(payload ->> 'open_ended' AS BOOLEAN), false)
                AND CAST(payload ->> 'until' AS DATE) >= CAST($as_of AS DATE) - 1 AS goes_on
        FROM promotion_published
    ) AS published
    WHERE day < CAST($end_day AS DATE)
        AND until_day >= CAST($first_day AS DATE)
        AND (announced_at < CAST($as_of AS DATE) OR unannounced)
),
scoped AS (
    SELECT s.series, p.*
    FROM period AS p
    INNER JOIN series_described AS s ON s.sku = p.sku AND s.place = p.place
    UNION ALL
    SELECT s.series, p.*
    FROM period AS p
    INNER JOIN series_described AS s ON s.sku = p.sku
    WHERE p.place IS NULL
    UNION ALL
    SELECT s.series, p.*
    FROM period AS p
    INNER JOIN series_described AS s
        ON s.category = p.category OR starts_with(s.category, p.category || '/')
    WHERE p.sku IS NULL AND p.category IS NOT NULL AND (p.place IS NULL OR p.place = s.place)
    UNION ALL
    SELECT s.series, p.*
    FROM period AS p
    INNER JOIN series_described AS s ON s.place = p.place
    WHERE p.sku IS NULL AND p.category IS NULL
    UNION ALL
    SELECT s.series, p.*
    FROM period AS p
    CROSS JOIN series_described AS s
    WHERE p.sku IS NULL AND p.category IS NULL AND p.place IS NULL
)
SELECT
    series,
    CAST(date_diff('day', CAST($first_day AS DATE), start_day) AS INTEGER) AS start_offset,
    CAST(date_diff('day', CAST($first_day AS DATE), last_day) AS INTEGER) AS last_offset,
    discount,
    activity,
    open_ended
FROM scoped
