import type { TFunction } from "i18next";
import type { Line } from "../../api/types";
import { Days, Money, Quantity, type useFormat } from "../../parts/format";
import type { Column } from "../../parts/PagedTable";
import { Status } from "../../parts/Status";
import { EditQuantity } from "./EditQuantity";

type Editing = { key: string | undefined; end: () => void };

export function columns(
  t: TFunction,
  format: ReturnType<typeof useFormat>,
  editing: Editing,
): Column<Line>[] {
  return [
    { name: "item", title: t("col.item"), width: 190, sort: "sku", show: (row) => (
      <span title={row.item_name ?? row.sku}>{row.item_name ?? row.sku}</span>
    ) },
    { name: "sku", title: t("col.sku"), width: 100, extra: true, show: (row) => row.sku },
    { name: "place", title: t("col.place"), width: 90, sort: "place", show: (row) => row.place },
    { name: "category", title: t("col.category"), width: 110, extra: true, show: (row) => row.category ?? "–" },
    { name: "supplier", title: t("col.supplier"), width: 100, extra: true, show: (row) => row.supplier ?? "–" },
    { name: "label", title: t("col.label"), width: 70, sort: "label", show: (row) => row.label || "–" },
    { name: "on_hand", title: t("col.on_hand"), width: 86, numeric: true, sort: "on_hand", show: (row) => <Quantity units={row.on_hand} /> },
    { name: "on_order", title: t("col.on_order"), width: 86, numeric: true, sort: "on_order", show: (row) => <Quantity units={row.on_order} /> },
    { name: "reserved", title: t("col.reserved"), width: 86, numeric: true, extra: true, show: (row) => <Quantity units={row.reserved} /> },
    { name: "cover_days", title: t("col.cover_days"), width: 90, numeric: true, sort: "cover_days", show: (row) => <Days days={row.cover_days} /> },
    { name: "forecast_per_day", title: t("col.forecast_per_day"), width: 96, numeric: true, sort: "forecast_per_day", show: (row) => format.perDay(row.forecast_per_day) },
    { name: "lead_time_days", title: t("col.lead_time_days"), width: 90, numeric: true, extra: true, show: (row) => <Days days={row.lead_time_days} /> },
    { name: "quantity", title: t("col.quantity"), width: 96, numeric: true, sort: "quantity", show: (row) => (
      <EditQuantity row={row} open={editing.key === `${row.place}/${row.sku}`} end={editing.end} />
    ) },
    { name: "value", title: t("col.value"), width: 110, numeric: true, sort: "value_cents", show: (row) => <Money cents={row.value_cents} /> },
    { name: "status", title: t("col.status"), width: 100, show: (row) => (row.status ? <Status status={row.status} /> : "–") },
    { name: "reason", title: t("col.reason"), width: 420, show: (row) => <span title={row.reason}>{row.reason}</span> },
  ];
}
