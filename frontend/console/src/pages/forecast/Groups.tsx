/** A group's weeks: what it sold, the forecast ahead, and the methods behind it. */
import { Select } from "antd";
import { useCallback, useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { categoryAxis, legend, valueAxis } from "../../parts/axes";
import { Chart, type Colours } from "../../parts/Chart";
import { Empty } from "../../parts/Empty";
import type { Schemas } from "../../api/types";
import { useFormat } from "../../parts/format";
import type { Column } from "../../parts/PagedTable";
import { PlainTable } from "../../parts/PlainTable";
import { useNames } from "./columns";

type Group = Schemas["Group"];
type GroupsTold = Schemas["Groups"];

export function Groups({ told }: { told: GroupsTold }) {
  const { t } = useTranslation();
  const format = useFormat();
  const names = useNames();
  const [chosen, setChosen] = useState<string>();
  const group = told.groups.find((one) => one.group === chosen) ?? told.groups[0];
  const league = useMemo(
    () => told.league.filter((row) => row.group === group?.group),
    [told, group],
  );
  const columns: Column<(typeof league)[number]>[] = [
    { name: "method", title: t("col.method"), width: 160, show: (row) => names.method(row.method) },
    { name: "wape", title: t("col.wape"), width: 90, numeric: true, show: (row) => format.share(row.wape) },
    { name: "weight", title: t("col.weight"), width: 90, numeric: true, show: (row) => format.share(row.weight) },
    { name: "naive", title: t("col.beaten_by_naive"), width: 140, show: (row) => (row.beaten_by_naive ? t("word.yes") : t("word.no")) },
  ];
  if (!group) return <Empty what={t("forecast.none")} todo={t("forecast.noneTodo")} />;
  return (
    <section className="panel">
      <div className="filters">
        <Select
          aria-label={t("col.group")}
          className="wide-select"
          showSearch
          value={group.group}
          onChange={setChosen}
          options={told.groups.map((one) => ({
            value: one.group,
            label: one.group || t("forecast.noGroup"),
          }))}
        />
      </div>
      <GroupChart group={group} />
      {told.notes.map((note) => (
        <p key={note} className="muted">
          {note}
        </p>
      ))}
      <h2>{t("forecast.groupLeague")}</h2>
      <PlainTable
        label={t("forecast.groupLeague")}
        rows={league}
        columns={columns}
        rowKey={(row) => row.method}
        empty={<p className="muted">{t("forecast.noLeague")}</p>}
      />
    </section>
  );
}

function GroupChart({ group }: { group: Group }) {
  const { t } = useTranslation();
  const format = useFormat();
  const option = useCallback(
    (colours: Colours) => {
      return {
        legend: { ...legend(colours), data: [t("series.sold"), t("series.forecast")] },
        tooltip: { valueFormatter: (value: number | null) => format.quantity(value) },
        xAxis: categoryAxis(colours, group.weeks),
        yAxis: valueAxis(colours, t("forecast.unitsAWeek")),
        series: [
          { name: t("series.sold"), type: "line", symbol: "none", data: group.sold, itemStyle: { color: colours.text }, lineStyle: { color: colours.text, width: 1.5 } },
          { name: t("series.forecast"), type: "line", symbol: "none", data: group.mean, itemStyle: { color: colours.main }, lineStyle: { color: colours.main, width: 2 } },
        ],
      };
    },
    [group, t, format],
  );
  return <Chart label={t("forecast.groupChart", { group: group.group })} option={option} height={300} />;
}
