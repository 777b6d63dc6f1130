-- Grain and key: place x day_offset.
-- Meaning: mean weather of the day. Before as_of: as observed, else the last forecast. From as_of
-- on: the last forecast published before as_of; as observed only when $realised is true (to
-- measure what perfect weather knowledge is worth).
-- Inputs: series, place_described, weather_observed, weather_forecast.
-- Parameters: as_of, first_day, end_day, realised.
WITH report AS (
    SELECT place, day, payload, event_at, true AS observed FROM weather_observed
    UNION ALL
    SELECT place, day, payload, event_at, false AS observed
    FROM weather_forecast
    WHERE make_timestamp(epoch_us(event_at)) < CAST($as_of AS DATE)
),
visible AS (
    SELECT * FROM report
    WHERE day >= CAST($first_day AS DATE) AND day < CAST($end_day AS DATE)
        AND (day < CAST($as_of AS DATE) OR NOT observed OR CAST($realised AS BOOLEAN))
),
shop AS (
    SELECT DISTINCT series.place, described.city
    FROM series
    LEFT JOIN (
        SELECT
            place,
            arg_max(payload ->> 'city', {'at': epoch_us(event_at), 'source': source}) AS city
        FROM place_described
        GROUP BY place
    ) AS described ON described.place = series.place
),
placed AS (
    SELECT visible.* FROM visible WHERE place IS NOT NULL
    UNION ALL
    SELECT shop.place, day, payload, event_at, observed
    FROM visible
    INNER JOIN shop ON shop.city = visible.payload ->> 'city'
    WHERE visible.place IS NULL
)
SELECT
    place,
    CAST(date_diff('day', CAST($first_day AS DATE), day) AS INTEGER) AS day_offset,
    CAST(last.precipitation_mm AS FLOAT) AS precipitation_mm,
    CAST(last.temperature_c AS FLOAT) AS temperature_c,
    CAST(last.humidity AS FLOAT) AS humidity,
    CAST(last.wind AS FLOAT) AS wind
FROM (
    SELECT
        place,
        day,
        arg_max(
            {
                'precipitation_mm': payload ->> 'precipitation_mm',
                'temperature_c': payload ->> 'temperature_c',
                'humidity': payload ->> 'humidity',
                'wind': payload ->> 'wind'
            },
            {'observed': observed, 'at': epoch_us(event_at)}
        ) AS last
    FROM placed
    GROUP BY place, day
) AS chosen
