/** What shoppers ordered: find an order by what is known of it, and open it. */
import { DatePicker, Select } from "antd";
import dayjs from "dayjs";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope, type Filters } from "../../app/scope";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import { PagedTable, type Column } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";
import { SearchBox } from "../../parts/SearchBox";
import { bringHead, type List } from "../../parts/windows";
import { SaleDrawer } from "./SaleDrawer";
import { SaleStanding, STATES } from "./standing";

type Sale = Schemas["SaleRow"];

const CHOICES = {
  state: STATES,
  channel: ["miniprogram", "app", "web", "till", "livestream", "marketplace"],
  method: ["pickup", "courier", "carry"],
};
const DAYS = ["first", "last"] as const;

const asked = ({ region, place }: Filters, own: Filters) => ({
  region,
  place,
  search: own.search,
  state: own.state,
  channel: own.channel,
  method: own.method,
  first: own.first,
  last: own.last,
});

const list = (query: ReturnType<typeof asked>): List<Sale> => ({
  queryKey: ["sales", query],
  load: (page, signal) => get("/api/sales", { query: { ...query, ...page }, signal }),
});

export const ahead = (shared: Filters) => void bringHead(list(asked(shared, {})));

export default function Sales() {
  const { t } = useTranslation();
  const { filters, shared, set } = useScope();
  const query = useMemo(() => asked(shared, filters), [shared, filters]);
  const columns = useColumns();
  return (
    <div className="page page-filled">
      <PageHead page="sales" columns={columns} />
      <div className="filters">
        <SearchBox hint={t("sales.search")} />
        {(Object.keys(CHOICES) as (keyof typeof CHOICES)[]).map((name) => (
          <Select
            key={name}
            aria-label={t(`sales.${name}`)}
            placeholder={t(`sales.${name}`)}
            allowClear
            className="sales-select"
            value={filters[name]}
            options={CHOICES[name].map((one) => ({ value: one, label: t(`sale.${name}.${one}`) }))}
            onChange={(chosen?: string) => set({ [name]: chosen })}
          />
        ))}
        {DAYS.map((name) => (
          <DatePicker
            key={name}
            aria-label={t(`sales.${name}`)}
            placeholder={t(`sales.${name}`)}
            value={filters[name] ? dayjs(filters[name]) : null}
            onChange={(day) => set({ [name]: day?.format("YYYY-MM-DD") })}
          />
        ))}
      </div>
      <PagedTable<Sale>
        label={t("page.sales")}
        {...list(query)}
        columns={columns}
        rowKey={(row) => row.id}
        onOpen={(row) => set({ sale: String(row.number) })}
        empty={<Empty what={t("sales.none")} todo={t("sales.noneTodo")} />}
      />
      <SaleDrawer />
    </div>
  );
}

function useColumns(): Column<Sale>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  return useMemo(
    () => [
      { name: "number", title: t("col.number"), width: 84, numeric: true, show: (row) => (
        <button type="button" className="link" onClick={() => set({ sale: String(row.number) })}>
          {row.number}
        </button>
      ) },
      { name: "state", title: t("col.status"), width: 116, show: (row) => <SaleStanding state={row.state} /> },
      { name: "channel", title: t("sales.channel"), width: 116, show: (row) => t(`sale.channel.${row.channel}`, { defaultValue: row.channel }) },
      { name: "method", title: t("sales.method"), width: 96, show: (row) => t(`sale.method.${row.method}`, { defaultValue: row.method }) },
      { name: "places", title: t("col.place"), width: 120, show: (row) => {
        const places = row.places.join(", ");
        return <span title={places}>{places}</span>;
      } },
      { name: "items", title: t("col.item"), width: 180, show: (row) => {
        const names = row.items.join(", ");
        return <span title={names}>{names}</span>;
      } },
      { name: "units", title: t("sale.quantity"), width: 84, numeric: true, show: (row) => format.quantity(row.units) },
      { name: "total_cents", title: t("sale.total"), width: 100, numeric: true, show: (row) => format.money(row.total_cents) },
      { name: "refund_cents", title: t("sale.refunded"), width: 100, numeric: true, show: (row) => (row.refund_cents ? format.money(row.refund_cents) : "–") },
      { name: "member", title: t("sale.member"), width: 116, extra: true, show: (row) => row.member ?? "–" },
      { name: "placed_at", title: t("sale.placedAt"), width: 168, numeric: true, show: (row) => format.moment(row.placed_at) },
      { name: "arrives_at", title: t("sale.promised"), width: 168, numeric: true, extra: true, show: (row) => format.moment(row.arrives_at) },
    ],
    [t, format, set],
  );
}
