/** The forecast studio: weekly forecasts of groups, the league, where it loses, overrides. */
import { Segmented, Tabs } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useScope } from "../../app/scope";
import { Asked } from "../../parts/Asked";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import type { Column } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";
import { PlainTable } from "../../parts/PlainTable";
import { Groups, type GroupsTold } from "./Groups";
import { Overrides } from "./Overrides";

export default function Forecast() {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  return (
    <div className="page">
      <PageHead page="forecast" />
      <Tabs
        activeKey={filters.tab ?? "groups"}
        onChange={(tab) => set({ tab: tab === "groups" ? undefined : tab, by: undefined })}
        items={[
          { key: "groups", label: t("forecast.groups"), children: <GroupsTab /> },
          { key: "league", label: t("forecast.league"), children: <League /> },
          { key: "losses", label: t("forecast.losses"), children: <Losses /> },
          { key: "overrides", label: t("forecast.overrides"), children: <Overrides /> },
        ]}
      />
    </div>
  );
}

function By({ choices }: { choices: string[] }) {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  return (
    <div className="filters">
      <Segmented
        aria-label={t("forecast.by")}
        value={filters.by ?? choices[0]}
        onChange={(by) => set({ by: by === choices[0] ? undefined : String(by) })}
        options={choices.map((one) => ({ value: one, label: t(`by.${one}`) }))}
      />
    </div>
  );
}

function GroupsTab() {
  const { filters, shared } = useScope();
  const by = filters.by ?? "category";
  return (
    <>
      <By choices={["category", "department", "region"]} />
      <Asked<GroupsTold>
        queryKey={["forecast", "groups", by, shared]}
        path="/api/forecast/groups"
        query={{ ...shared, by }}
      >
        {(told) => <Groups told={told} />}
      </Asked>
    </>
  );
}

type Score = {
  method: string;
  origin?: string | null;
  group: string;
  series: number;
  units?: number | null;
  wape: number | null;
  bias: number | null;
  pinball?: number | null;
  coverage_90?: number | null;
  beaten_by?: string | null;
};

function useScoreColumns(): Column<Score>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return useMemo(
    () => [
      { name: "group", title: t("col.group"), width: 140, show: (row) => row.group || t("forecast.noGroup") },
      { name: "method", title: t("col.method"), width: 140, show: (row) => t(`method.${row.method}`, { defaultValue: row.method }) },
      { name: "series", title: t("col.series"), width: 90, numeric: true, show: (row) => format.quantity(row.series) },
      { name: "wape", title: t("col.wape"), width: 90, numeric: true, show: (row) => format.share(row.wape) },
      { name: "bias", title: t("col.bias"), width: 90, numeric: true, show: (row) => format.share(row.bias) },
      { name: "pinball", title: t("col.pinball"), width: 100, numeric: true, show: (row) => format.number(row.pinball) },
      { name: "coverage", title: t("col.coverage"), width: 110, numeric: true, show: (row) => format.share(row.coverage_90) },
      { name: "beaten_by", title: t("col.beaten_by"), width: 140, show: (row) => (row.beaten_by ? t(`method.${row.beaten_by}`, { defaultValue: row.beaten_by }) : "–") },
    ],
    [t, format],
  );
}

function Scores({ what, choices }: { what: "league" | "losses"; choices: string[] }) {
  const { t } = useTranslation();
  const { filters, shared } = useScope();
  const by = filters.by ?? choices[0];
  const columns = useScoreColumns();
  return (
    <section className="panel">
      <p className="muted">{t(`forecast.${what}About`)}</p>
      <By choices={choices} />
      <Asked<{ rows: Score[] }>
        queryKey={["forecast", what, by, shared]}
        path={`/api/forecast/${what}`}
        query={{ ...shared, by }}
      >
        {({ rows }) => (
          <PlainTable<Score>
            label={t(`forecast.${what}`)}
            rows={rows}
            columns={columns}
            rowKey={(row) => `${row.method}/${row.origin}/${row.group}`}
            empty={<Empty what={t("forecast.none")} todo={t("forecast.noneTodo")} />}
          />
        )}
      </Asked>
    </section>
  );
}

const League = () => <Scores what="league" choices={["velocity", "category", "store"]} />;
const Losses = () => <Scores what="losses" choices={["category", "store", "velocity"]} />;
