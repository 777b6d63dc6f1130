import type { TFunction } from "i18next";
import type { Line } from "../../api/types";
import type { useFormat } from "../../parts/format";
import type { Column } from "../../parts/PagedTable";
import type { useRuling } from "../../parts/ruling";
import { isOver, Status } from "../../parts/Status";
import { EditQuantity } from "./EditQuantity";

/** What speaks for an order; a line may order and have too much for later days as well. */
const SHORT = new Set(["stock_out", "runs_out", "not_orderable", "stock_unknown"]);

type Editing = { key: string | undefined; end: () => void };

export function columns(
  t: TFunction,
  format: ReturnType<typeof useFormat>,
  ruling: ReturnType<typeof useRuling>,
  editing: Editing,
): Column<Line>[] {
  const why = (row: Line): string => {
    if (row.exception && (!row.quantity || SHORT.has(row.exception))) return t(`exception.${row.exception}`, { defaultValue: row.exception });
    if (row.on_hand === null) return t("exception.stock_unknown");
    if (row.cover_days === null || row.lead_time_days === null) return "–";
    const told = { cover: format.days(row.cover_days), lead: format.days(row.lead_time_days) };
    return t("workbench.lasts", told);
  };
  return [
    { name: "item", title: t("col.item"), width: 168, sort: "sku", show: (row) => (
      <span title={row.item_name ?? row.sku}>{row.item_name ?? row.sku}</span>
    ) },
    { name: "sku", title: t("col.sku"), width: 100, extra: true, show: (row) => row.sku },
    { name: "place", title: t("col.place"), width: 78, sort: "place", show: (row) => row.place },
    { name: "category", title: t("col.category"), width: 110, extra: true, show: (row) => row.category ?? "–" },
    { name: "supplier", title: t("col.supplier"), width: 100, extra: true, show: (row) => row.supplier ?? "–" },
    { name: "label", title: t("col.label"), width: 68, sort: "label", show: (row) => row.label || "–" },
    { name: "on_hand", title: t("col.on_hand"), width: 92, numeric: true, sort: "on_hand", show: (row) => format.quantity(row.on_hand) },
    { name: "on_order", title: t("col.on_order"), width: 92, numeric: true, sort: "on_order", show: (row) => format.quantity(row.on_order) },
    { name: "reserved", title: t("col.reserved"), width: 104, numeric: true, extra: true, show: (row) => format.quantity(row.reserved) },
    { name: "cover_days", title: t("col.cover_days"), width: 84, numeric: true, sort: "cover_days", show: (row) => format.days(row.cover_days) },
    { name: "forecast_per_day", title: t("col.forecast_per_day"), width: 90, numeric: true, sort: "forecast_per_day", show: (row) => format.perDay(row.forecast_per_day) },
    { name: "lead_time_days", title: t("col.lead_time_days"), width: 90, numeric: true, extra: true, show: (row) => format.days(row.lead_time_days) },
    { name: "quantity", title: t("col.quantity"), width: 92, numeric: true, sort: "quantity", show: (row) => (
      <EditQuantity row={row} format={format} open={editing.key === `${row.place}/${row.sku}`} end={editing.end} />
    ) },
    { name: "value", title: t("col.value"), width: 102, numeric: true, sort: "value_cents", show: (row) => format.money(row.value_cents) },
    { name: "status", title: t("col.status"), width: 92, show: (row) => (row.status ? <Status status={row.status} over={isOver(row)} /> : "–") },
    { name: "rule", title: t("col.rule"), width: 340, extra: true, show: (row) => {
      if (!row.deeds.length) return "–";
      const told = ruling({ ...row, label: row.label ?? "" });
      return <span title={told}>{told}</span>;
    } },
    { name: "reason", title: t("col.reason"), width: 176, show: (row) => <span title={why(row)}>{why(row)}</span> },
  ];
}

const ON_A_PHONE = ["item", "quantity", "place"];

/** The same columns with those first that must be seen before anybody moves the table sideways. */
export function phoneFirst(columns: Column<Line>[]): Column<Line>[] {
  const rank = ({ name }: Column<Line>) =>
    ON_A_PHONE.includes(name) ? ON_A_PHONE.indexOf(name) : ON_A_PHONE.length;
  return [...columns].sort((one, other) => rank(one) - rank(other));
}
