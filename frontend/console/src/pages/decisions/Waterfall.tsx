/** The money of the decisions as it falls: proposed, less rejected and expired, to carried out. */
import { useQuery } from "@tanstack/react-query";
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { categoryAxis, valueAxis } from "../../parts/axes";
import { Chart, type Colours } from "../../parts/Chart";
import { useFormat } from "../../parts/format";

/** Money by step; each step that is no total is a change. */
type Step = Schemas["Step"];

export function Waterfall() {
  const { t } = useTranslation();
  const format = useFormat();
  const { data } = useQuery({
    queryKey: ["decisions", "waterfall"],
    queryFn: ({ signal }) => get("/api/decisions/waterfall", { signal }),
  });
  const steps = data?.steps;
  const option = useCallback(
    (colours: Colours) => {
      const bars = laid(steps ?? []);
      return {
        tooltip: {
          trigger: "axis",
          formatter: (at: { dataIndex: number }[]) => {
            const step = (steps ?? [])[at[0]!.dataIndex]!;
            return `${t(`step.${step.name}`)}<br/>${format.money(step.value_cents)} · ${t("cockpit.lines", { count: step.decisions })}`;
          },
        },
        xAxis: categoryAxis(colours, (steps ?? []).map((step) => t(`step.${step.name}`))),
        yAxis: valueAxis(colours, "", (value) => format.moneyShort(value)),
        series: [
          { type: "bar", stack: "all", silent: true, itemStyle: { opacity: 0 }, data: bars.map((bar) => bar.low) },
          {
            type: "bar",
            stack: "all",
            barMaxWidth: 56,
            labelLayout: { hideOverlap: true },
            label: { show: true, position: "top", padding: [0, 4], color: colours.text, formatter: (at: { dataIndex: number }) => format.moneyShort((steps ?? [])[at.dataIndex]!.value_cents) },
            data: bars.map((bar) => ({
              value: bar.high - bar.low,
              itemStyle: { color: bar.total ? colours.main : bar.falls ? colours.bad : colours.good },
            })),
          },
        ],
      };
    },
    [steps, t, format],
  );
  if (!steps?.length) return null;
  return (
    <section className="panel">
      <h2>{t("decisions.waterfall")}</h2>
      <Chart label={t("decisions.waterfall")} option={option} height={180} />
    </section>
  );
}

/** Where each bar begins and ends: totals stand on the ground, changes hang where the last ended. */
function laid(steps: Step[]) {
  let running = 0;
  return steps.map((step) => {
    const before = step.total ? 0 : running;
    running = step.total ? step.value_cents : running + step.value_cents;
    return {
      low: Math.min(before, running),
      high: Math.max(before, running),
      falls: !step.total && step.value_cents < 0,
      total: step.total,
    };
  });
}
