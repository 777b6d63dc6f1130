/** The replenishment workbench: the plan's lines, each with its proposal, reason and forecast. */
import { useMutation } from "@tanstack/react-query";
import { App, Button, Grid, Segmented, Select } from "antd";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { get, inWords, post } from "../../api/client";
import type { Line } from "../../api/types";
import { useChoices } from "../../app/ScopeBar";
import { useScope, type Filters } from "../../app/scope";
import { useMay } from "../../app/session";
import { DecideBar } from "../../parts/DecideBar";
import { useDeciding } from "../../parts/deciding";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import { bringLine, LineDrawer, lineName } from "../../parts/LineDrawer";
import { PagedTable } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";
import { useRuling } from "../../parts/ruling";
import { SearchBox } from "../../parts/SearchBox";
import { bringHead, type List } from "../../parts/windows";
import { columns, phoneFirst } from "./columns";
import { Focus } from "./Focus";

const asked = (shared: Filters, filters: Filters) => ({
  ...shared,
  status: filters.status === "all" ? undefined : (filters.status ?? "ordered"),
  search: filters.search,
  label: filters.label,
  sort: filters.sort,
});

const list = (query: ReturnType<typeof asked>): List<Line> => ({
  queryKey: ["workbench", query],
  load: async (page, signal) => {
    const found = await get("/api/workbench", { query: { ...query, ...page }, signal });
    // The first row gets the focus: its forecast comes while the rows are drawn.
    if (page.offset === 0 && found.rows[0]) void bringLine(lineName(found.rows[0]));
    return found;
  },
});

export const ahead = (shared: Filters) => void bringHead(list(asked(shared, {})));

export default function Workbench() {
  const { t } = useTranslation();
  const format = useFormat();
  const may = useMay();
  const { filters, shared, set } = useScope();
  const { data: choices } = useChoices();
  const deciding = useDeciding();
  const [focus, setFocus] = useState<string>();
  const [editing, setEditing] = useState<string>();
  const status = filters.status ?? "ordered";
  const query = useMemo(() => asked(shared, filters), [shared, filters]);
  const endEditing = useCallback(() => {
    setEditing(undefined);
    requestAnimationFrame(() => document.querySelector<HTMLElement>(".paged-focus")?.focus());
  }, []);
  const ruling = useRuling();
  const wide = Grid.useBreakpoint().md ?? true;
  const listed = useMemo(() => {
    const all = columns(t, format, ruling, { key: editing, end: endEditing });
    return wide ? all : phoneFirst(all);
  }, [t, format, ruling, editing, endEditing, wide]);
  const undecided = (row: Line) => row.deeds.includes("approve");
  const decide = may("decisions.decide");
  const pressed = (key: string, row: Line) => {
    if (key === "o") set({ line: lineName(row) });
    else if (key === "Enter" && decide && undecided(row)) setEditing(lineName(row));
    else if (key === "a" && decide && undecided(row))
      deciding.mutate({ what: "approve", numbers: [row.number!], reason: "" });
    else return false;
    return true;
  };
  return (
    <div className="page page-filled">
      <PageHead page="workbench" columns={listed} files={{ path: "/api/workbench", query }}>
        <PlanButton />
      </PageHead>
      <div className="filters">
        <Segmented
          aria-label={t("col.status")}
          value={status}
          onChange={(chosen) => set({ status: chosen === "ordered" ? undefined : chosen })}
          options={["ordered", "not_ordered", "all"].map((one) => ({
            value: one,
            label: t(`planned.${one}`),
          }))}
        />
        <SearchBox />
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
        <span className="muted keys">{t("workbench.keys")}</span>
      </div>
      <Focus name={focus} />
      <PagedTable<Line>
        label={t("page.workbench")}
        {...list(query)}
        columns={listed}
        rowKey={lineName}
        onOpen={(row) => set({ line: lineName(row) })}
        onFocusRow={useCallback((row: Line) => setFocus(lineName(row)), [])}
        onKey={pressed}
        bulk={(rows, clear) => (
          <DecideBar
            numbers={rows.filter(undecided).map((row) => row.number!)}
            onDone={clear}
          />
        )}
        empty={<Empty what={t("workbench.none")} todo={t("workbench.noneTodo")} />}
      />
      <LineDrawer />
    </div>
  );
}

/** Have orders proposed for today; the bell tells when they are there. */
function PlanButton() {
  const { t } = useTranslation();
  const may = useMay();
  const { message } = App.useApp();
  const plan = useMutation({
    mutationFn: () => post("/api/plans", { body: { horizon_days: 28, changed: false } }),
    onSuccess: () => void message.info(t("workbench.planning")),
    onError: (error) => void message.error(inWords(error), 8),
  });
  if (!may("plan.run")) return null;
  return (
    <Button loading={plan.isPending} onClick={() => plan.mutate()}>
      {t("workbench.plan")}
    </Button>
  );
}
