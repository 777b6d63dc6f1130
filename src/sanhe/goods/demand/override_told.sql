-- Grain and key: source x external_id (one planner's override each).
-- Meaning: a planner's word on the demand of what it covers, from first_day to last_day, both
-- included; nulls among sku, category, region, city and place cover everything. said_at orders
-- them; expires = the last morning planned for on which it is applied.
-- Inputs: forecast_overridden. Parameters: none.
SELECT
    external_id AS id,
    source,
    revision,
    epoch_us(event_at) AS said_at_us,
    sku,
    place,
    payload ->> 'category' AS category,
    payload ->> 'region' AS region,
    payload ->> 'city' AS city,
    day AS first_day,
    CAST(payload ->> 'until' AS DATE) AS last_day,
    CAST(payload ->> 'factor' AS DOUBLE) AS factor,
    CAST(payload ->> 'units_per_day' AS DOUBLE) AS units_per_day,
    payload ->> 'reason' AS reason,
    payload ->> 'author' AS author,
    CAST(payload ->> 'expires' AS DATE) AS expires
FROM forecast_overridden
ORDER BY source, external_id
