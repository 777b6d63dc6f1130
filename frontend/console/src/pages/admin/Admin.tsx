/** Administration: accounts and their roles, keys, places, jobs, the audit trail. */
import { Tabs } from "antd";
import { useMemo, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { get, type Got } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Asked } from "../../parts/Asked";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import { PagedTable, type Column } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";
import { PlainTable } from "../../parts/PlainTable";
import { Accounts } from "./Accounts";
import { Keys } from "./Keys";
import { Policy } from "./Policy";

export default function Admin() {
  const { t } = useTranslation();
  const may = useMay();
  const { filters, set } = useScope();
  const tabs: [name: string, action: string, view: ReactNode][] = [
    ["accounts", "accounts.manage", <Accounts key="accounts" />],
    ["keys", "accounts.manage", <Keys key="keys" />],
    ["places", "catalog.read", <Places key="places" />],
    ["policy", "policy.change", <Policy key="policy" />],
    ["jobs", "data.read", <Jobs key="jobs" />],
    ["audit", "audit.read", <Audit key="audit" />],
  ];
  const open = tabs.filter(([, action]) => may(action));
  return (
    <div className="page">
      <PageHead page="admin" />
      <Tabs
        tabBarGutter={16}
        activeKey={filters.tab ?? open[0]?.[0]}
        onChange={(tab) => set({ tab })}
        destroyOnHidden
        items={open.map(([key, , children]) => ({ key, label: t(`admin.${key}`), children }))}
      />
    </div>
  );
}

type Place = Got<"/api/places">["rows"][number];

function Places() {
  const { t } = useTranslation();
  const columns: Column<Place>[] = [
    { name: "id", title: t("col.code"), width: 120, show: (row) => <span className="code">{row.id}</span> },
    { name: "name", title: t("col.name"), width: 200, show: (row) => row.name ?? "–" },
    { name: "kind", title: t("col.kind"), width: 120, show: (row) => t(`placeKind.${row.kind}`, { defaultValue: row.kind }) },
    { name: "parent", title: t("col.parent"), width: 120, show: (row) => <span className="code">{row.parent ?? "–"}</span> },
    { name: "region", title: t("col.region"), width: 140, show: (row) => row.region ?? "–" },
    { name: "city", title: t("col.city"), width: 140, show: (row) => row.city ?? "–" },
    { name: "zone", title: t("col.time_zone"), width: 160, show: (row) => row.time_zone ?? "–" },
    { name: "cut_off", title: t("col.cut_off"), width: 100, show: (row) => row.cut_off },
  ];
  return (
    <section className="panel">
      <p className="muted">
        {t("admin.placesTodo")} <Link to="/imports" className="in-text">{t("page.imports")}</Link>
      </p>
      <Asked queryKey={["places"]} path="/api/places">
        {({ rows }) => (
          <PlainTable<Place>
            label={t("admin.places")}
            rows={rows}
            columns={columns}
            rowKey={(row) => row.id}
            empty={<Empty what={t("admin.noPlaces")} todo={t("imports.noneTodo")} />}
          />
        )}
      </Asked>
    </section>
  );
}

type JobRow = Schemas["JobRow"];

function Jobs() {
  const { t } = useTranslation();
  const format = useFormat();
  const columns: Column<JobRow>[] = [
    { name: "what", title: t("col.job"), width: 220, show: (row) => row.what },
    { name: "actor", title: t("col.actor"), width: 120, show: (row) => row.actor },
    { name: "state", title: t("col.status"), width: 110, show: (row) => t(`state.${row.state}`, { defaultValue: row.state }) },
    { name: "done", title: t("col.progress"), width: 120, numeric: true, show: (row) => (row.total ? format.share((row.done ?? 0) / row.total) : "–") },
    { name: "started", title: t("col.begun_at"), width: 160, numeric: true, show: (row) => format.moment(row.started_at) },
    { name: "error", title: t("col.message"), width: 320, show: (row) => row.error || row.step || "–" },
  ];
  return (
    <section className="panel">
      <Asked queryKey={["jobs"]} path="/api/jobs">
        {({ rows }) => (
          <PlainTable<JobRow>
            label={t("admin.jobs")}
            rows={rows}
            columns={columns}
            rowKey={(row) => String(row.id)}
            empty={<Empty what={t("admin.noJobs")} />}
          />
        )}
      </Asked>
    </section>
  );
}

type AuditRow = Schemas["AuditRow"];

function Audit() {
  const { t } = useTranslation();
  const format = useFormat();
  const columns: Column<AuditRow>[] = useMemo(
    () => [
      { name: "at", title: t("col.when"), width: 150, numeric: true, show: (row) => format.moment(row.at) },
      { name: "actor", title: t("col.actor"), width: 120, show: (row) => row.actor },
      { name: "action", title: t("col.deed"), width: 140, show: (row) => row.action },
      { name: "subject", title: t("col.subject"), width: 240, show: (row) => <span title={row.subject}>{row.subject}</span> },
      { name: "details", title: t("col.details"), width: 420, show: (row) => {
        const told = JSON.stringify(row.details);
        return <code title={told}>{told === "{}" ? "–" : told}</code>;
      } },
    ],
    [t, format],
  );
  return (
    <PagedTable<AuditRow>
      label={t("admin.audit")}
      height="60vh"
      queryKey={["audit"]}
      load={(page, signal) => get("/api/audit", { query: page, signal })}
      columns={columns}
      rowKey={(row) => String(row.number)}
      empty={<Empty what={t("admin.noAudit")} />}
    />
  );
}
