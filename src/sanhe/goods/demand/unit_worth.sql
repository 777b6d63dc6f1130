-- Grain and key: SKU x place (series); every series once.
-- Meaning: what one base unit sells for and what it costs on the day as_of, in minor units, each
-- with its currency; null where nobody said. A price or terms of the place's own win over those that
-- hold everywhere; of several suppliers the first choice counts; a cost per case is the finer one.
-- Inputs: series, price_set, supply_agreed, item_described. Parameters: as_of, first_day.
WITH price AS (
    SELECT
        sku,
        place,
        arg_max(
            {
                'cents': amount_cents / coalesce(CAST(payload ->> 'per_units' AS BIGINT), 1),
                'currency': currency
            },
            {'day': day, 'at': epoch_us(event_at)}
        ) AS last
    FROM price_set
    WHERE day <= CAST($as_of AS DATE) AND amount_cents > 0
    GROUP BY sku, place
),
item AS (
    SELECT
        sku,
        CAST(
            arg_max(payload, {'at': epoch_us(event_at), 'source': source}) ->> 'case' AS BIGINT
        ) AS case_size
    FROM item_described
    GROUP BY sku
),
terms AS (
    SELECT
        sku,
        place,
        party,
        arg_max(
            {
                'priority': coalesce(CAST(payload ->> 'priority' AS BIGINT), 1),
                'case_cents': CAST(payload ->> 'cost_per_case_cents' AS DOUBLE),
                'case_size': CAST(payload ->> 'case' AS BIGINT),
                'unit_cents': CAST(amount_cents AS DOUBLE),
                'currency': currency
            },
            {'day': day, 'at': epoch_us(event_at)}
        ) AS last
    FROM supply_agreed
    WHERE day <= CAST($as_of AS DATE)
    GROUP BY sku, place, party
),
cost AS (
    SELECT
        terms.sku,
        terms.place,
        arg_min(
            {
                'cents': coalesce(
                    last.case_cents / coalesce(last.case_size, item.case_size), last.unit_cents
                ),
                'currency': last.currency
            },
            {'priority': last.priority, 'party': party}
        ) AS first
    FROM terms
    LEFT JOIN item ON item.sku = terms.sku
    GROUP BY terms.sku, terms.place
)
SELECT
    series.series,
    coalesce(own_price.last, any_price.last).cents AS price_cents,
    coalesce(own_price.last, any_price.last).currency AS price_currency,
    coalesce(own_cost.first, any_cost.first).cents AS cost_cents,
    coalesce(own_cost.first, any_cost.first).currency AS cost_currency
FROM series
LEFT JOIN price AS own_price ON own_price.sku = series.sku AND own_price.place = series.place
LEFT JOIN price AS any_price ON any_price.sku = series.sku AND any_price.place IS NULL
LEFT JOIN cost AS own_cost ON own_cost.sku = series.sku AND own_cost.place = series.place
LEFT JOIN cost AS any_cost ON any_cost.sku = series.sku AND any_cost.place IS NULL
ORDER BY series.series
