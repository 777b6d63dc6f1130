-- Grain: one fact that bears on a series in an interval; no key.
-- Meaning: what lies behind the drivers of one SKU x place. kind = promotion, price, holiday or
-- working_day; number = discount (price paid / list price) or price in minor units. A promotion is
-- visible as in promotion_period. Prices: the one that holds on first_day and those set later.
-- Inputs: promotion_published, price_set, holiday_declared, item_described.
-- Parameters: sku, place, as_of, last_day.
WITH item AS (
    SELECT arg_max(payload ->> 'category', {'at': epoch_us(event_at), 'source': source}) AS category
    FROM item_described WHERE sku = $sku
),
promotion AS (
    SELECT
        'promotion' AS kind,
        day AS first_day,
        CAST(payload ->> 'until' AS DATE) AS last_day,
        payload ->> 'name' AS name,
        CAST(payload ->> 'discount' AS DOUBLE) AS number
    FROM promotion_published, item
    WHERE (sku IS NULL OR sku = $sku)
        AND (place IS NULL OR place = $place)
        AND (
            sku IS NOT NULL
            OR payload ->> 'category' IS NULL
            OR item.category = payload ->> 'category'
            OR starts_with(item.category, (payload ->> 'category') || '/')
        )
        AND day <= CAST($last_day AS DATE)
        AND (
            CAST(payload ->> 'until' AS DATE) >= CAST($as_of AS DATE)
            OR (
                coalesce(CAST(payload ->> 'open_ended' AS BOOLEAN), false)
                AND CAST(payload ->> 'until' AS DATE) >= CAST($as_of AS DATE) - 1
            )
        )
        AND (
            make_timestamp(epoch_us(event_at)) < CAST($as_of AS DATE)
            OR make_timestamp(epoch_us(event_at)) >= day - INTERVAL 1 DAY
        )
),
price AS (
    SELECT
        'price' AS kind,
        day AS first_day,
        CAST(NULL AS DATE) AS last_day,
        CAST(NULL AS VARCHAR) AS name,
        CAST(amount_cents AS DOUBLE) AS number
    FROM price_set
    WHERE sku = $sku
        AND (place IS NULL OR place = $place)
        AND day <= CAST($last_day AS DATE)
        AND amount_cents > 0
    QUALIFY
        (place IS NOT NULL OR max(CASE WHEN place IS NOT NULL THEN 1 ELSE 0 END) OVER () = 0)
        AND day >= coalesce(
            max(CASE WHEN day <= CAST($as_of AS DATE) THEN day END)
                OVER (PARTITION BY place IS NULL),
            day
        )
),
holiday AS (
    SELECT
        CASE WHEN payload ->> 'kind' = 'public' THEN 'holiday' ELSE payload ->> 'kind' END AS kind,
        day AS first_day,
        day AS last_day,
        payload ->> 'name' AS name,
        CAST(NULL AS DOUBLE) AS number
    FROM holiday_declared
    WHERE (place IS NULL OR place = $place)
        AND day BETWEEN CAST($as_of AS DATE) AND CAST($last_day AS DATE)
)
SELECT DISTINCT * FROM (
    SELECT * FROM promotion
    UNION ALL
    SELECT * FROM price
    UNION ALL
    SELECT * FROM holiday
) AS told
ORDER BY kind, first_day, last_day, name, number
