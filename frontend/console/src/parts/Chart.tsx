/** A chart, loaded when the first one is shown. */
import { Skeleton } from "antd";
import { lazy, Suspense } from "react";
import type { ChartProps } from "./EChart";

const EChart = lazy(() => import("./EChart"));

export function Chart(props: ChartProps) {
  const style = { height: props.height ?? 280 };
  return (
    <Suspense fallback={<Skeleton.Node active className="chart-wait" style={{ ...style, width: "100%" }} />}>
      <EChart {...props} />
    </Suspense>
  );
}

export type { ChartProps, Colours } from "./EChart";
