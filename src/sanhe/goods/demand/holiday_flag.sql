-- Grain and key: place x day_offset; place is null for days that hold everywhere.
-- Meaning: public = a public holiday; working = a weekend day worked in exchange (调休).
-- Known at as_of: all of it; holidays are declared ahead.
-- Inputs: holiday_declared. Parameters: first_day, end_day.
SELECT
    place,
    CAST(date_diff('day', CAST($first_day AS DATE), day) AS INTEGER) AS day_offset,
    bool_or(payload ->> 'kind' = 'public') AS public,
    bool_or(payload ->> 'kind' = 'working_day') AS working
FROM holiday_declared
WHERE day >= CAST($first_day AS DATE) AND day < CAST($end_day AS DATE)
GROUP BY place, day
