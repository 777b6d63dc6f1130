/** The inbox of exceptions, by the money in them, each with the one thing to do. */
import { Button, Select } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { ExceptionRow } from "../../api/types";
import { useScope, type Filters } from "../../app/scope";
import { DecideBar } from "../../parts/DecideBar";
import { Empty } from "../../parts/Empty";
import { useFormat, useUnit } from "../../parts/format";
import { LineDrawer, lineName } from "../../parts/LineDrawer";
import { PagedTable, type Column } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";
import { SearchBox } from "../../parts/SearchBox";
import { bringHead, type List } from "../../parts/windows";

const KINDS = [
  "stock_out",
  "runs_out",
  "not_orderable",
  "expiring",
  "dead",
  "excess",
  "stock_unknown",
];

const asked = (shared: Filters, filters: Filters) => ({
  ...shared,
  kind: filters.kind,
  search: filters.search,
});

const list = (query: ReturnType<typeof asked>): List<ExceptionRow> => ({
  queryKey: ["exceptions", query],
  load: (page, signal) => get("/api/exceptions", { query: { ...query, ...page }, signal }),
});

export const ahead = (shared: Filters) => void bringHead(list(asked(shared, {})));

export default function Exceptions() {
  const { t } = useTranslation();
  const { filters, shared, set } = useScope();
  const query = useMemo(() => asked(shared, filters), [shared, filters]);
  const columns = useColumns();
  return (
    <div className="page page-filled">
      <PageHead page="exceptions" columns={columns} />
      <div className="filters">
        <Select
          aria-label={t("col.kind")}
          placeholder={t("exceptions.allKinds")}
          allowClear
          className="wide-select"
          value={filters.kind}
          options={KINDS.map((kind) => ({ value: kind, label: t(`exception.${kind}`) }))}
          onChange={(kind?: string) => set({ kind })}
        />
        <SearchBox />
      </div>
      <PagedTable<ExceptionRow>
        label={t("page.exceptions")}
        {...list(query)}
        columns={columns}
        rowKey={(row) => `${row.kind}/${lineName(row)}`}
        onOpen={(row) => set({ line: lineName(row) })}
        bulk={(rows, clear) => (
          <DecideBar
            numbers={rows.flatMap((row) => (row.deeds.includes("approve") ? row.number! : []))}
            onDone={clear}
          />
        )}
        empty={<Empty what={t("exceptions.none")} todo={t("exceptions.noneTodo")} />}
      />
      <LineDrawer />
    </div>
  );
}

function useColumns(): Column<ExceptionRow>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const unit = useUnit();
  const { set } = useScope();
  return useMemo(() => {
    const told = (facts: ExceptionRow["facts"]) =>
      Object.entries(facts)
        .filter(([, value]) => value !== null)
        .map(([name, value]) => {
          const words = t(`fact.${name}`, { defaultValue: name });
          return `${words} ${typeof value === "number" ? unit(value, ending(name)) : value}`;
        })
        .join(" · ");
    return [
      { name: "kind", title: t("col.kind"), width: 204, show: (row) => t(`exception.${row.kind}`, { defaultValue: row.kind }) },
      { name: "item", title: t("col.item"), width: 170, show: (row) => row.item_name ?? row.sku },
      { name: "place", title: t("col.place"), width: 80, show: (row) => row.place },
      { name: "label", title: t("col.label"), width: 70, show: (row) => row.label ?? "–" },
      { name: "value", title: t("col.atStake"), width: 120, numeric: true, show: (row) => format.money(row.value_cents) },
      { name: "quantity", title: t("col.quantity"), width: 90, numeric: true, show: (row) => format.quantity(row.quantity) },
      { name: "open", title: t("col.action"), width: 90, show: (row) => (
        <Button size="small" onClick={() => set({ line: lineName(row) })}>
          {t("exceptions.open")}
        </Button>
      ) },
      { name: "facts", title: t("col.facts"), width: 320, show: (row) => <span title={told(row.facts)}>{told(row.facts)}</span> },
    ];
  }, [t, format, unit, set]);
}

/** The unit that a fact's name ends with. */
function ending(name: string): string {
  return ["cents", "days", "share", "rate", "per_day"].find((one) => name.endsWith(one)) ?? "";
}
