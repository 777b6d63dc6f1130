-- Grain and key: name of a public holiday x day, past and declared ahead.
-- Meaning: the days of each yearly event, at any place.
-- Inputs: holiday_declared. Parameters: none.
SELECT DISTINCT
    payload ->> 'name' AS name,
    day
FROM holiday_declared
WHERE payload ->> 'kind' = 'public'
