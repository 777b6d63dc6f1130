/** Health's charts: ABC × XYZ bubbles of money, ageing, cover. */
import type { TFunction } from "i18next";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { categoryAxis, legend, valueAxis } from "../../parts/axes";
import { Chart, type Colours } from "../../parts/Chart";
import { useFormat } from "../../parts/format";
import { useScope } from "../../app/scope";
import type { Aged, Bar, Cell } from "./types";

const LARGEST = 64;

/** The area of a bubble is the money; the part that is dead decides its colour. */
export function Bubbles({ cells }: { cells: Cell[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  const option = useCallback(
    (colours: Colours) => {
      const most = Math.max(1, ...cells.map((cell) => cell.stock_value_cents));
      const abc = [...new Set(cells.map((cell) => cell.abc))].sort().reverse();
      const xyz = [...new Set(cells.map((cell) => cell.xyz))].sort();
      return {
        grid: { left: 8, right: 24, top: 24, bottom: 8, outerBoundsMode: "same" },
        tooltip: { trigger: "item" },
        xAxis: { ...categoryAxis(colours, xyz), splitLine: { show: true, lineStyle: { color: colours.line } } },
        yAxis: { ...categoryAxis(colours, abc), splitLine: { show: true, lineStyle: { color: colours.line } } },
        series: [
          {
            type: "scatter",
            symbolSize: (value: (string | number)[]) =>
              Math.max(8, LARGEST * Math.sqrt(Number(value[2]) / most)),
            label: {
              show: true,
              position: "inside",
              color: colours.text,
              textBorderColor: colours.back,
              textBorderWidth: 3,
              formatter: ({ value }: { value: (string | number)[] }) =>
                format.moneyShort(Number(value[2])),
            },
            data: cells.map((cell) => ({
              name: `${cell.abc}${cell.xyz}`,
              value: [cell.xyz, cell.abc, cell.stock_value_cents],
              itemStyle: {
                color: `${cell.dead_value_cents * 5 > cell.stock_value_cents ? colours.bad : colours.main}66`,
              },
              tooltip: {
                formatter: [
                  `<b>${cell.abc}${cell.xyz}</b>`,
                  `${t("col.stockValue")} ${format.money(cell.stock_value_cents)}`,
                  `${t("health.deadValue")} ${format.money(cell.dead_value_cents)}`,
                  `${t("col.cover_days")} ${format.days(cell.cover_days)}`,
                  t("cockpit.lines", { count: cell.lines }),
                ].join("<br/>"),
              },
            })),
          },
        ],
      };
    },
    [cells, t, format],
  );
  const pick = useCallback((name: string) => set({ label: name }), [set]);
  return <Chart label={t("health.matrix")} option={option} height={280} onPick={pick} />;
}

export function Ageing({ rows }: { rows: Aged[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const option = useCallback(
    (colours: Colours) => {
      const buckets = [...new Set(rows.map((row) => row.bucket))].sort(
        (one, other) => from(one) - from(other),
      );
      const classes = [...new Set(rows.map((row) => row.abc))].sort();
      return {
        legend: legend(colours),
        tooltip: { valueFormatter: (value: number) => format.money(value) },
        xAxis: daysAxis(colours, buckets, t),
        yAxis: valueAxis(colours, "", (value) => format.moneyShort(value)),
        series: classes.map((abc) => ({
          name: abc,
          type: "bar",
          stack: "all",
          barMaxWidth: 48,
          data: buckets.map((bucket) =>
            rows
              .filter((row) => row.abc === abc && row.bucket === bucket)
              .reduce((sum, row) => sum + row.stock_value_cents, 0),
          ),
        })),
      };
    },
    [rows, t, format],
  );
  return <Chart label={t("health.ageing")} option={option} height={280} />;
}

export function Cover({ bars }: { bars: Bar[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const option = useCallback(
    (colours: Colours) => ({
      tooltip: { valueFormatter: (value: number) => format.money(value) },
      xAxis: daysAxis(colours, bars.map((bar) => bar.days), t),
      yAxis: valueAxis(colours, "", (value) => format.moneyShort(value)),
      series: [
        {
          name: t("col.stockValue"),
          type: "bar",
          barMaxWidth: 48,
          data: bars.map((bar) => bar.stock_value_cents),
        },
      ],
    }),
    [bars, t, format],
  );
  return <Chart label={t("health.cover")} option={option} height={280} />;
}

function daysAxis(colours: Colours, buckets: string[], t: TFunction) {
  const axis = categoryAxis(colours, buckets.map((one) => spoken(one, t)));
  return {
    ...axis,
    axisLabel: { ...axis.axisLabel, interval: 0, fontSize: 11, hideOverlap: false, rotate: buckets.length > 6 ? 40 : 0 },
    name: t("health.days"),
    nameLocation: "middle",
    nameGap: buckets.length > 6 ? 46 : 28,
    nameTextStyle: { color: colours.muted },
  };
}

const from = (bucket: string) => Number(/\d+/.exec(bucket)?.[0] ?? Infinity) + (bucket.startsWith("over") ? 0.5 : 0);

/** "8_14" is "8–14", "over_180" is "> 180"; the axis names the days. */
function spoken(bucket: string, t: TFunction): string {
  const [one, other] = bucket.split("_");
  if (bucket === "no_sale") return t("health.noSale");
  if (one === "over") return `> ${other}`;
  return other ? `${one}–${other}` : bucket;
}
