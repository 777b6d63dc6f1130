/** The cockpit's charts: inventory days over time, stock by category. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { useNavigate } from "react-router";
import type { Cockpit } from "../../api/types";
import { addressOf, useScope } from "../../app/scope";
import { categoryAxis, valueAxis } from "../../parts/axes";
import { Chart, type Colours } from "../../parts/Chart";
import { useFormat } from "../../parts/format";

export function InventoryDays({ days }: { days: Cockpit["days"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const option = useCallback(
    (colours: Colours) => ({
      xAxis: categoryAxis(colours, days.map((one) => one.day)),
      yAxis: { ...valueAxis(colours, "", (value) => format.days(value)), scale: true },
      tooltip: { valueFormatter: (value: number) => format.days(value) },
      series: [
        {
          name: t("kpi.inventory_days"),
          type: "line",
          symbol: days.length > 1 ? "none" : "circle",
          data: days.map((one) => one.inventory_days),
          lineStyle: { width: 2 },
          areaStyle: { opacity: 0.08 },
        },
      ],
    }),
    [days, t, format],
  );
  return <Chart label={t("cockpit.days")} option={option} height={260} />;
}

/** Text of the data as text of a tooltip, which is HTML. */
const plain = (text: string) =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

const SMALLEST_NAMED = 0.065;

/** Each category as large as the money in it, as deep as the days it lies. */
export function CategoryMap({ categories }: { categories: Cockpit["categories"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { shared } = useScope();
  const go = useNavigate();
  const option = useCallback(
    (colours: Colours) => {
      const all = categories.reduce((sum, one) => sum + Math.max(0, one.stock_value_cents), 0);
      const most = Math.max(1, ...categories.map((one) => one.inventory_days ?? 0));
      return {
        tooltip: { trigger: "item" },
        visualMap: {
          type: "continuous",
          dimension: 1,
          min: 0,
          max: most,
          text: [format.days(most), format.days(0)],
          textStyle: { color: colours.muted },
          orient: "horizontal",
          right: 0,
          top: 0,
          itemHeight: 90,
          itemWidth: 10,
          inRange: { color: ["#176f9b", "#0b6b58", "#7a6a12", "#a14410"] },
        },
        series: [
          {
            type: "treemap",
            roam: false,
            nodeClick: false,
            breadcrumb: { show: false },
            top: 34,
            left: 0,
            right: 0,
            bottom: 0,
            itemStyle: { borderColor: colours.back, gapWidth: 2 },
            label: { color: "#fff", fontSize: 13, overflow: "truncate", ellipsis: "…", lineHeight: 18 },
            data: categories
              .filter((one) => one.stock_value_cents > 0)
              .map((one) => {
                const name = one.category ?? t("cockpit.noCategory");
                const money = format.moneyShort(one.stock_value_cents);
                const lasts = format.days(one.inventory_days);
                return {
                  name,
                  id: one.category ?? "",
                  value: [one.stock_value_cents, one.inventory_days ?? 0],
                  // A tile too small for three lines tells them when it is pointed at.
                  label: { show: one.stock_value_cents > SMALLEST_NAMED * all, formatter: `${name.split("/").at(-1)}\n${money}\n${lasts}` },
                  tooltip: { formatter: `${plain(name)}<br/>${money} · ${lasts}` },
                };
              }),
          },
        ],
      };
    },
    [categories, t, format],
  );
  const pick = useCallback(
    (_: string, data: unknown) => {
      const category = (data as { id?: string }).id;
      if (category) void go(addressOf("/health", { ...shared, category }));
    },
    [go, shared],
  );
  return <Chart label={t("cockpit.categories")} option={option} height={260} onPick={pick} />;
}
