export type Cell = {
  abc: string;
  xyz: string;
  lines: number;
  stock_value_cents: number;
  dead_value_cents: number;
  cover_days: number | null;
};
export type Aged = { abc: string; xyz: string; bucket: string; lines: number; stock_value_cents: number };
export type Bar = { days: string; lines: number; stock_value_cents: number };
export type Health = { as_of: string | null; matrix: Cell[]; ageing: Aged[]; cover: Bar[] };
export type Slow = {
  sku: string;
  place: string;
  item_name?: string | null;
  label: string | null;
  on_hand: number | null;
  stock_value_cents: number | null;
  cover_days: number | null;
  age_days: number | null;
  days_since_sale: number | null;
  excess_cents: number | null;
  expiring_cents: number | null;
};
export type Move = {
  sku: string;
  place: string;
  from_label: string | null;
  to_label: string | null;
  stock_value_cents: number | null;
  reason: string;
};
