/** A chart; its code is loaded when the first one is shown, or brought ahead of that. */
import { Skeleton } from "antd";
import { Suspense } from "react";
import { brought } from "./brought";
import type { ChartProps } from "./EChart";

const { View, bring } = brought<ChartProps>(() => import("./EChart"));

export function Chart(props: ChartProps) {
  const style = { height: props.height ?? 280 };
  return (
    <Suspense fallback={<Skeleton.Node active className="chart-wait" style={{ ...style, width: "100%" }} />}>
      <View {...props} />
    </Suspense>
  );
}

export const bringCharts = bring;
export type { ChartProps, Colours } from "./EChart";
