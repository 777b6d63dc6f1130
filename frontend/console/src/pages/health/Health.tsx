/** Inventory health: where the money lies by class, how old it is, how long it lasts. */
import { useQuery } from "@tanstack/react-query";
import { Select, Spin, Tabs } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { get, Problem } from "../../api/client";
import { queries } from "../../api/queries";
import { useChoices } from "../../app/ScopeBar";
import { useScope, type Filters } from "../../app/scope";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { useFormat } from "../../parts/format";
import { LineDrawer, lineName } from "../../parts/LineDrawer";
import { PagedTable, type Column } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";
import { bringHead, type List } from "../../parts/windows";
import { Ageing, Bubbles, Cover } from "./charts";
import type { Move, Slow } from "./types";

type Query = Readonly<Record<string, string | undefined>>;

const overview = (query: Query) => ({
  queryKey: ["health", query],
  queryFn: ({ signal }: { signal: AbortSignal }) => get("/api/health", { query, signal }),
});

const slowLines = (query: Query): List<Slow> => ({
  queryKey: ["health", "slow", query],
  load: (page, signal) => get("/api/health/slow", { query: { ...query, ...page }, signal }),
});

export const ahead = (shared: Filters) => {
  void queries.prefetchQuery(overview(shared));
  void bringHead(slowLines(shared));
};

export default function Health() {
  const { t } = useTranslation();
  const { filters, shared, set } = useScope();
  const { data: choices } = useChoices();
  const query = useMemo(() => ({ ...shared, label: filters.label }), [shared, filters.label]);
  const { data, error, refetch } = useQuery({
    ...overview(query),
    placeholderData: (before) => before,
  });
  const unplanned = error instanceof Problem && error.status === 404;
  return (
    <div className="page">
      <PageHead page="health" />
      <div className="filters">
        <Select
          aria-label={t("col.label")}
          placeholder={t("col.label")}
          allowClear
          showSearch
          className="scope-select"
          value={filters.label}
          options={(choices?.labels ?? []).map((one) => ({ value: one, label: one }))}
          onChange={(label?: string) => set({ label })}
        />
      </div>
      {unplanned && <Empty what={t("health.none")} todo={t("health.noneTodo")} />}
      {error && !unplanned && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Spin className="page-wait" />}
      {data && !data.matrix.length && <Empty what={t("health.none")} todo={t("health.noneTodo")} />}
      {data && data.matrix.length > 0 && (
        <div className="panels panels-3">
          <section className="panel">
            <h2>{t("health.matrix")}</h2>
            <Bubbles cells={data.matrix} />
          </section>
          <section className="panel">
            <h2>{t("health.ageing")}</h2>
            <Ageing rows={data.ageing} />
          </section>
          <section className="panel">
            <h2>{t("health.cover")}</h2>
            <Cover bars={data.cover} />
          </section>
        </div>
      )}
      <section className="panel">
        <Tabs
        tabBarGutter={20}
          activeKey={filters.tab ?? "slow"}
          onChange={(tab) => set({ tab: tab === "slow" ? undefined : tab, sort: undefined })}
          items={[
            { key: "slow", label: t("health.slow"), children: <SlowLines query={query} /> },
            { key: "moves", label: t("health.moves"), children: <Moves query={query} /> },
          ]}
        />
      </section>
      <LineDrawer />
    </div>
  );
}

function SlowLines({ query }: { query: Query }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  const columns: Column<Slow>[] = [
    { name: "sku", title: t("col.item"), width: 164, show: (row) => row.item_name ?? row.sku },
    { name: "place", title: t("col.place"), width: 90, show: (row) => row.place },
    { name: "label", title: t("col.label"), width: 70, show: (row) => row.label ?? "–" },
    { name: "on_hand", title: t("col.on_hand"), width: 90, numeric: true, show: (row) => format.quantity(row.on_hand) },
    { name: "money", title: t("col.stockValue"), width: 120, numeric: true, show: (row) => format.money(row.stock_value_cents) },
    { name: "cover", title: t("col.cover_days"), width: 100, numeric: true, show: (row) => format.days(row.cover_days) },
    { name: "age", title: t("col.age_days"), width: 90, numeric: true, show: (row) => format.days(row.age_days) },
    { name: "since", title: t("col.days_since_sale"), width: 136, numeric: true, show: (row) => format.days(row.days_since_sale) },
    { name: "excess", title: t("col.excess"), width: 120, numeric: true, show: (row) => format.money(row.excess_cents) },
    { name: "expiring", title: t("col.expiring"), width: 120, numeric: true, show: (row) => format.money(row.expiring_cents) },
  ];
  return (
    <PagedTable<Slow>
      label={t("health.slow")}
      height="420px"
      {...slowLines(query)}
      columns={columns}
      rowKey={lineName}
      onOpen={(row) => set({ line: lineName(row) })}
      empty={<Empty what={t("health.noSlow")} />}
    />
  );
}

function Moves({ query }: { query: object }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  const columns: Column<Move>[] = [
    { name: "sku", title: t("col.sku"), width: 140, show: (row) => row.sku },
    { name: "place", title: t("col.place"), width: 90, show: (row) => row.place },
    { name: "from", title: t("col.from_label"), width: 90, show: (row) => row.from_label ?? "–" },
    { name: "to", title: t("col.to_label"), width: 90, show: (row) => row.to_label ?? "–" },
    { name: "money", title: t("col.stockValue"), width: 120, numeric: true, show: (row) => format.money(row.stock_value_cents) },
    { name: "reason", title: t("col.reason"), width: 460, show: (row) => <span title={row.reason}>{row.reason}</span> },
  ];
  return (
    <PagedTable<Move>
      label={t("health.moves")}
      height="420px"
      queryKey={["health", "moves", query]}
      load={(page, signal) => get("/api/health/moves", { query: { ...query, ...page }, signal })}
      columns={columns}
      rowKey={lineName}
      onOpen={(row) => set({ line: lineName(row) })}
      empty={<Empty what={t("health.noMoves")} todo={t("health.noMovesTodo")} />}
    />
  );
}
