/**
 * The places by their coordinates in km, without a map of somebody else: east is right, north is
 * up. A ring is how far a place brings in the window, the colour of its point the share of the
 * demand around it that comes in time.
 */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/types";
import { Chart, type Colours } from "../../parts/Chart";
import { useFormat } from "../../parts/format";

type Spot = Schemas["PromiseSpot"];
type Props = { rows: Spot[]; at: number; hours: number; onPick: (place: string) => void };
type Draws = {
  value: (dimension: number) => number;
  coord: (point: [number, number]) => [number, number];
  size: (lengths: [number, number]) => [number, number];
};

const KM_PER_DEGREE = 111.195;
const HEIGHT = 420;
const MARGIN = 1.15;

/** Text of the data as text of a tooltip, which is HTML. */
const plain = (text: string) =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);

/** The places in km east and north of their middle, and a square that holds them. */
function laidOut(rows: Spot[]) {
  const middle = (of: (row: Spot) => number) =>
    (Math.min(...rows.map(of)) + Math.max(...rows.map(of))) / 2;
  const latitude = middle((row) => row.latitude);
  const longitude = middle((row) => row.longitude);
  const shrunk = Math.cos((latitude * Math.PI) / 180);
  const points = rows.map((row) => ({
    row,
    east: (row.longitude - longitude) * KM_PER_DEGREE * shrunk,
    north: (row.latitude - latitude) * KM_PER_DEGREE,
  }));
  const half = Math.max(3, ...points.flatMap(({ east, north }) => [Math.abs(east), Math.abs(north)]));
  return { points, half: half * MARGIN };
}

export function PromiseMap({ rows, at, hours, onPick }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const option = useCallback(
    (colours: Colours) => {
      const { points, half } = laidOut(rows);
      const most = Math.max(1e-9, ...rows.map((row) => row.per_day));
      const axis = {
        type: "value" as const,
        min: -half,
        max: half,
        name: "km",
        nameTextStyle: { color: colours.muted },
        axisLabel: { color: colours.muted, formatter: (km: number) => String(Math.round(km)) },
        splitLine: { lineStyle: { color: colours.line } },
      };
      return {
        grid: { left: 8, right: 36, top: 28, bottom: 40, outerBoundsMode: "same" },
        xAxis: axis,
        yAxis: axis,
        tooltip: {
          trigger: "item",
          formatter: ({ dataIndex }: { dataIndex: number }) => {
            const row = rows[dataIndex]!;
            return [
              `${plain(row.place)} ${plain(row.name)}`,
              `${t("promises.within", { hours })}: ${format.share(row.shares[at])}`,
              `${t("promises.demand")}: ${format.perDay(row.per_day)}`,
            ].join("<br>");
          },
        },
        visualMap: {
          type: "continuous",
          seriesIndex: 1,
          dimension: 2,
          min: 0,
          max: 1,
          text: [format.share(1), format.share(0)],
          textStyle: { color: colours.muted },
          orient: "horizontal",
          left: "center",
          bottom: 0,
          itemHeight: 120,
          itemWidth: 10,
          inRange: { color: [colours.bad, colours.warn, colours.good] },
        },
        series: [
          {
            type: "custom",
            silent: true,
            clip: true,
            data: points.map(({ row, east, north }) => [
              east,
              north,
              Math.min(row.reach_metres[at]! / 1000, half),
            ]),
            renderItem: (_: unknown, api: Draws) => {
              const [x, y] = api.coord([api.value(0), api.value(1)]);
              const [wide, high] = api.size([api.value(2), api.value(2)]);
              return {
                type: "ellipse",
                shape: { cx: x, cy: y, rx: wide, ry: high },
                style: { fill: colours.main, opacity: 0.07, stroke: colours.main, lineWidth: 1 },
              };
            },
          },
          {
            type: "scatter",
            data: points.map(({ row, east, north }) => ({
              name: row.place,
              value: [east, north, row.shares[at] ?? 0],
              symbolSize: 10 + 18 * Math.sqrt(row.per_day / most),
            })),
            label: { show: rows.length <= 60, formatter: "{b}", position: "right", color: colours.text },
            labelLayout: { hideOverlap: true },
          },
        ],
      };
    },
    [rows, at, hours, t, format],
  );
  return (
    <Chart label={t("promises.map", { hours })} option={option} height={HEIGHT} onPick={(name) => name && onPick(name)} />
  );
}
