/** The forecast studio: weekly forecasts of groups, the league, where it loses, overrides. */
import { useMutation } from "@tanstack/react-query";
import { App, Button, Segmented, Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { inWords, post } from "../../api/client";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Asked } from "../../parts/Asked";
import { Empty } from "../../parts/Empty";
import { PageHead } from "../../parts/PageHead";
import { PlainTable } from "../../parts/PlainTable";
import { useLossColumns, useScoreColumns } from "./columns";
import { Groups } from "./Groups";
import { Overrides } from "./Overrides";

export default function Forecast() {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  return (
    <div className="page">
      <PageHead page="forecast">
        <Backtest />
      </PageHead>
      <Tabs
        tabBarGutter={20}
        activeKey={filters.tab ?? "groups"}
        onChange={(tab) => set({ tab: tab === "groups" ? undefined : tab, by: undefined })}
        destroyOnHidden
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

/** Try the methods on the past and forecast the groups; the bell tells when it is done. */
function Backtest() {
  const { t } = useTranslation();
  const may = useMay();
  const { message } = App.useApp();
  const start = useMutation({
    mutationFn: () => post("/api/forecast/backtests"),
    onSuccess: () => void message.info(t("forecast.trying")),
    onError: (error) => void message.error(inWords(error), 8),
  });
  if (!may("plan.run")) return null;
  return (
    <Button loading={start.isPending} onClick={() => start.mutate()}>
      {t("forecast.try")}
    </Button>
  );
}

function None() {
  const { t } = useTranslation();
  return <Empty what={t("forecast.none")} todo={t("forecast.noneTodo")} />;
}

/** A choice of grouping; the first one is what holds without a choice. */
function useBy(choices: readonly string[]) {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const by = filters.by ?? choices[0]!;
  const control = (
    <div className="filters">
      <Segmented
        aria-label={t("forecast.by")}
        value={by}
        onChange={(chosen) => set({ by: chosen === choices[0] ? undefined : chosen })}
        options={choices.map((one) => ({ value: one, label: t(`by.${one}`) }))}
      />
    </div>
  );
  return { by, control };
}

function GroupsTab() {
  const { by, control } = useBy(["category", "department", "region"]);
  return (
    <>
      {control}
      <Asked
        queryKey={["forecast", "groups", by]}
        path="/api/forecast/groups"
        query={{ by }}
        none={<None />}
      >
        {(told) => <Groups told={told} />}
      </Asked>
    </>
  );
}

function League() {
  const { t } = useTranslation();
  const columns = useScoreColumns();
  const { by, control } = useBy(["velocity", "category", "store"]);
  return (
    <section className="panel">
      <p className="muted">{t("forecast.leagueAbout")}</p>
      {control}
      <Asked
        queryKey={["forecast", "league", by]}
        path="/api/forecast/league"
        query={{ by }}
        none={<None />}
      >
        {({ rows }) => (
          <PlainTable
            label={t("forecast.league")}
            rows={rows}
            columns={columns}
            rowKey={(row) => `${row.group}/${row.method}`}
            empty={<None />}
          />
        )}
      </Asked>
    </section>
  );
}

function Losses() {
  const { t } = useTranslation();
  const columns = useLossColumns();
  const { by, control } = useBy(["category", "store", "region", "velocity", "age", "series"]);
  return (
    <section className="panel">
      <p className="muted">{t("forecast.lossesAbout")}</p>
      {control}
      <Asked
        queryKey={["forecast", "losses", by]}
        path="/api/forecast/losses"
        query={{ by }}
        none={<None />}
      >
        {({ rows }) => (
          <PlainTable
            label={t("forecast.losses")}
            rows={rows}
            columns={columns}
            rowKey={(row) => `${row.group}/${row.sku}/${row.place}`}
            empty={<None />}
          />
        )}
      </Asked>
    </section>
  );
}
