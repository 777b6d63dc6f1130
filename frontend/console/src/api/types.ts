/** The shapes of what the API answers, under the names the pages use. */

export type Line = {
  sku: string;
  place: string;
  item_name: string | null;
  category: string | null;
  supplier: string | null;
  label: string;
  on_hand: number | null;
  on_order: number | null;
  reserved: number | null;
  cover_days: number | null;
  forecast_per_day: number | null;
  lead_time_days: number | null;
  quantity: number;
  value_cents: number;
  number: number | null;
  status: string | null;
  decided: number | null;
  reason: string;
};

export type Term = { name: string; words: string; value: number; running: number };

export type HistoryStep = {
  at: string;
  actor: string;
  status: string;
  reason: string;
  value: number | null;
};

export type Explanation = {
  number: number | null;
  status: string | null;
  sku: string;
  place: string;
  item_name: string | null;
  label: string;
  reason: string;
  quantity: number;
  decided: number;
  value_cents: number;
  terms: Term[];
  limits: string[];
  assumed: string[];
  alternatives: Record<string, number | string | null>[];
  expected: { metric?: string; value: number; low: number; high: number } | null;
  method: string;
};

export type Series = {
  days: string[];
  sold: (number | null)[];
  mean: (number | null)[];
  low: (number | null)[];
  high: (number | null)[];
  stocked_out: boolean[];
  promoted: boolean[];
};

export type LineTold = {
  line: Line;
  explanation: Explanation;
  decision: DecisionRow | null;
  history: HistoryStep[];
  series: Series;
  rule: string | null;
};

export type DecisionRow = {
  number: number;
  kind: string;
  sku: string | null;
  place: string | null;
  party: string | null;
  status: string;
  label: string;
  value: number;
  proposed: number;
  value_cents: number;
  reason: string;
  created_at: string;
};

export type Tile = {
  name: string;
  value: number | null;
  unit: string;
  before: number | null;
  target: number | null;
  better: "up" | "down" | "higher" | "lower";
};

export type Cockpit = {
  as_of: string | null;
  compare_to: { from: string; to: string } | string | null;
  tiles: Tile[];
  days: { day: string; inventory_days: number | null; [figure: string]: number | string | null }[];
  categories: { category: string | null; stock_value_cents: number; inventory_days: number | null }[];
  regions: { region: string | null; [figure: string]: number | string | null }[];
  todo: { kind: string; lines: number; value_cents: number; action: string }[];
};

export type ExceptionRow = {
  kind: string;
  sku: string;
  place: string;
  item_name: string | null;
  label: string | null;
  value_cents: number;
  facts: Record<string, number | string | null>;
  number: number | null;
  quantity: number | null;
};
