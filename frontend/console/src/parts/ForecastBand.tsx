/** What a line sold, its forecast and the band that holds 80 of 100 days. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Series } from "../api/types";
import { categoryAxis, legend, valueAxis } from "./axes";
import { Chart, type Colours } from "./Chart";

export function ForecastBand({ series, height = 220 }: { series: Series; height?: number }) {
  const { t, i18n } = useTranslation();
  const option = useCallback(
    (colours: Colours) => {
      const span = series.high.map((high, at) => {
        const low = series.low[at];
        return high === null || high === undefined || low === null || low === undefined
          ? null
          : high - low;
      });
      const hidden = { lineStyle: { opacity: 0 }, symbol: "none", stack: "band", tooltip: { show: false } };
      const marks = (flags: boolean[], colour: string, name: string, symbol: string) => ({
        name,
        type: "scatter",
        symbol,
        symbolSize: 7,
        itemStyle: { color: colour },
        data: flags.map((flag, at) => (flag ? (series.sold[at] ?? 0) : null)),
      });
      return {
        legend: {
          ...legend(colours),
          data: [t("series.sold"), t("series.forecast"), t("series.stockedOut"), t("series.promoted")],
        },
        xAxis: categoryAxis(colours, series.days),
        yAxis: { ...valueAxis(colours, t("series.unit")), splitNumber: height < 180 ? 3 : 5 },
        series: [
          { name: "low", type: "line", data: series.low, ...hidden },
          { name: "high", type: "line", data: span, ...hidden, areaStyle: { color: colours.main, opacity: 0.18 } },
          { name: t("series.sold"), type: "line", data: series.sold, symbol: "none", lineStyle: { color: colours.text, width: 1.5 }, itemStyle: { color: colours.text } },
          { name: t("series.forecast"), type: "line", data: series.mean, symbol: "none", lineStyle: { color: colours.main, width: 2 }, itemStyle: { color: colours.main } },
          marks(series.stocked_out, colours.bad, t("series.stockedOut"), "circle"),
          marks(series.promoted, colours.warn, t("series.promoted"), "triangle"),
        ],
      };
    },
    // eslint-disable-next-line react-hooks/exhaustive-deps
    [series, height, i18n.language],
  );
  return <Chart label={t("series.label")} option={option} height={height} />;
}
