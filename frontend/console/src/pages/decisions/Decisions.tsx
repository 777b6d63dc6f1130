/** The decision log: what was proposed, what people made of it, and what it did. */
import { useQuery } from "@tanstack/react-query";
import { Grid, Select, Skeleton } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { DecisionRow } from "../../api/types";
import { useScope, type Filters } from "../../app/scope";
import { DecideBar } from "../../parts/DecideBar";
import { Happened } from "../../parts/Happened";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { SideDrawer } from "../../parts/SideDrawer";
import { useFormat } from "../../parts/format";
import { AutoApproval, Explained, History, Section, useFoot } from "../../parts/LineDrawer";
import { PagedTable, type Column } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";
import { useReason } from "../../parts/reason";
import { isOver, Status } from "../../parts/Status";
import { bringHead, type List } from "../../parts/windows";
import { Waterfall } from "./Waterfall";

const STATUSES = [
  "proposed",
  "snoozed",
  "approved",
  "edited",
  "rejected",
  "executing",
  "executed",
  "failed",
  "measured",
  "expired",
];

const asked = (shared: Filters, filters: Filters) => ({
  ...shared,
  status: filters.status,
  kind: filters.kind,
});

const list = (query: ReturnType<typeof asked>): List<DecisionRow> => ({
  queryKey: ["decisions", query],
  load: (page, signal) => get("/api/decisions", { query: { ...query, ...page }, signal }),
});

export const ahead = (shared: Filters) => void bringHead(list(asked(shared, {})));

export default function Decisions() {
  const { t } = useTranslation();
  const { filters, shared, set } = useScope();
  const query = useMemo(() => asked(shared, filters), [shared, filters]);
  const columns = useColumns();
  return (
    <div className="page page-filled">
      <PageHead page="decisions" columns={columns} />
      <Waterfall />
      <div className="filters">
        <Select
          aria-label={t("col.status")}
          placeholder={t("status.all")}
          allowClear
          className="wide-select"
          value={filters.status}
          options={STATUSES.map((one) => ({ value: one, label: t(`status.${one}`) }))}
          onChange={(status?: string) => set({ status })}
        />
      </div>
      <PagedTable<DecisionRow>
        label={t("page.decisions")}
        {...list(query)}
        columns={columns}
        rowKey={(row) => String(row.number)}
        onOpen={(row) => set({ decision: String(row.number) })}
        bulk={(rows, clear) => (
          <DecideBar
            numbers={rows.flatMap((row) => (row.deeds.includes("approve") ? row.number : []))}
            onDone={clear}
          />
        )}
        empty={<Empty what={t("decisions.none")} todo={t("decisions.noneTodo")} />}
      />
      <DecisionDrawer />
    </div>
  );
}

function useColumns(): Column<DecisionRow>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const reason = useReason();
  const { set } = useScope();
  return useMemo(
    () => [
      { name: "number", title: t("col.number"), width: 72, numeric: true, show: (row) => (
        <button type="button" className="link" onClick={() => set({ decision: String(row.number) })}>
          {row.number}
        </button>
      ) },
      { name: "kind", title: t("col.kind"), width: 140, extra: true, show: (row) => t(`decisionKind.${row.kind}`, { defaultValue: row.kind }) },
      { name: "item", title: t("col.item"), width: 160, show: (row) => {
        const name = row.item_name ?? row.sku ?? "–";
        return <span title={name}>{name}</span>;
      } },
      { name: "sku", title: t("col.sku"), width: 110, extra: true, show: (row) => row.sku ?? "–" },
      { name: "place", title: t("col.place"), width: 78, show: (row) => row.place ?? row.party ?? "–" },
      { name: "label", title: t("col.label"), width: 70, extra: true, show: (row) => row.label || "–" },
      { name: "status", title: t("col.status"), width: 112, show: (row) => <Status status={row.status} over={isOver(row)} /> },
      { name: "proposed", title: t("col.proposed"), width: 100, numeric: true, show: (row) => format.quantity(row.proposed) },
      { name: "decided", title: t("col.decided"), width: 92, numeric: true, show: (row) => format.quantity(row.value) },
      { name: "value", title: t("col.value"), width: 106, numeric: true, show: (row) => format.money(row.value_cents) },
      { name: "reason", title: t("col.reason"), width: 236, show: (row) => {
        const told = reason({ ...row, quantity: row.proposed });
        return <span title={told}>{told}</span>;
      } },
      { name: "created_at", title: t("col.created_at"), width: 168, numeric: true, show: (row) => format.moment(row.created_at) },
    ],
    [t, format, reason, set],
  );
}

function DecisionDrawer() {
  const { t } = useTranslation();
  const format = useFormat();
  const { filters, set } = useScope();
  const wide = Grid.useBreakpoint().md ?? true;
  const number = filters.decision;
  const reason = useReason();
  const { data, error, refetch } = useQuery({
    queryKey: ["decision", number],
    queryFn: () => get("/api/decisions/{number}", { path: { number: number ?? "" } }),
    enabled: !!number,
  });
  const close = () => set({ decision: undefined });
  const decision = data?.decision;
  return (
    <SideDrawer
      open={!!number}
      onClose={close}
      size={wide ? 620 : "100%"}
      title={t("decisions.one", { number })}
      extra={decision && <Status status={decision.status} over={isOver(decision)} />}
      footer={useFoot(decision, close)}
    >
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton active title={false} />}
      {data && decision && (
        <div tabIndex={0} className="drawer-told">
          <p className="reason">{reason(data.explanation)}</p>
          <Happened
            decision={decision}
            history={data.history}
            orders={data.orders}
            newer={data.newer}
          />
          <Explained explanation={data.explanation} />
          <AutoApproval decision={decision} rule={data.rule} />
          {data.measured && (
            <Section title={t("decisions.measured")}>
              <p>
                {t(`metric.${data.measured.metric}`, { defaultValue: data.measured.metric })}:{" "}
                {format.number(data.measured.value)} ({format.number(data.measured.low)} …{" "}
                {format.number(data.measured.high)})
              </p>
            </Section>
          )}
          <Section title={t("line.history")}>
            <History steps={data.history} />
          </Section>
        </div>
      )}
    </SideDrawer>
  );
}
