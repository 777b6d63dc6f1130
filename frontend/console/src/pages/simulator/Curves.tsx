/** The curves of a simulation: days, fill, waste and money at each value, today as a line. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import { categoryAxis, valueAxis } from "../../parts/axes";
import { Chart, type Colours } from "../../parts/Chart";
import type { Schemas } from "../../api/types";
import { useUnit } from "../../parts/format";

export type Simulation = Schemas["Simulation"];
type Figure = Exclude<keyof Schemas["Point"], "value">;

const FIGURES: [name: Figure, unit: string][] = [
  ["inventory_days", "days"],
  ["fill_rate", "share"],
  ["waste_cents", "cents"],
  ["profit_cents", "cents"],
];

export function Curves({ told }: { told: Simulation }) {
  return (
    <div className="panels">
      {FIGURES.map(([name, unit]) => (
        <Curve key={name} told={told} name={name} unit={unit} />
      ))}
    </div>
  );
}

function Curve({ told, name, unit }: { told: Simulation; name: Figure; unit: string }) {
  const { t } = useTranslation();
  const show = useUnit();
  const today = told.today?.[name];
  const option = useCallback(
    (colours: Colours) => {
      const { points } = told;
      const service = told.sweep === "service";
      return {
        tooltip: { valueFormatter: (value: number) => show(value, unit) },
        xAxis: {
          ...categoryAxis(colours, points.map((one) => (service ? show(one.value, "share") : String(one.value)))),
          name: t(`sweep.${told.sweep ?? "service"}`),
          nameLocation: "middle",
          nameGap: 26,
          nameTextStyle: { color: colours.muted },
        },
        yAxis: { ...valueAxis(colours, "", (value) => show(value, unit)), scale: true },
        series: [
          {
            name: t(`kpi.${name}`),
            type: "line",
            data: points.map((one) => one[name] ?? null),
            symbolSize: 7,
            markLine:
              today === null || today === undefined
                ? undefined
                : {
                    symbol: "none",
                    lineStyle: { color: colours.warn, type: "dashed" },
                    label: { color: colours.text, formatter: t("simulator.today", { value: show(today, unit) }), position: "insideStartTop" },
                    data: [{ yAxis: today }],
                  },
          },
          // The axis reaches as far as today's value, so that its line is always in sight.
          {
            type: "line",
            silent: true,
            symbol: "none",
            lineStyle: { opacity: 0 },
            tooltip: { show: false },
            data: points.map(() => today ?? null),
          },
        ],
      };
    },
    [told, name, unit, today, t, show],
  );
  return (
    <section className="panel">
      <h2>{t(`kpi.${name}`)}</h2>
      <Chart label={t(`kpi.${name}`)} option={option} height={240} />
    </section>
  );
}
