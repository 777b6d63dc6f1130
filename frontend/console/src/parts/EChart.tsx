/** ECharts with only the parts in use, in the colours of the theme. */
import { theme } from "antd";
import { BarChart, CustomChart, HeatmapChart, LineChart, ScatterChart, TreemapChart } from "echarts/charts";
import {
  AriaComponent,
  GridComponent,
  LegendComponent,
  MarkLineComponent,
  TooltipComponent,
  VisualMapComponent,
} from "echarts/components";
import { init, use as withParts, type ECharts, type EChartsCoreOption } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";
import { useEffect, useRef } from "react";
import { useAppearance } from "../app/appearance";

withParts([
  AriaComponent,
  BarChart,
  CanvasRenderer,
  CustomChart,
  GridComponent,
  HeatmapChart,
  LegendComponent,
  LineChart,
  MarkLineComponent,
  ScatterChart,
  TooltipComponent,
  TreemapChart,
  VisualMapComponent,
]);

/** The colours a chart may use by meaning. */
export type Colours = {
  main: string;
  second: string;
  good: string;
  bad: string;
  warn: string;
  text: string;
  muted: string;
  line: string;
  back: string;
};

export type ChartProps = {
  /** What the chart shows, for those who can't see it. */
  label: string;
  option: (colours: Colours) => EChartsCoreOption;
  height?: number;
  onPick?: (name: string, data: unknown) => void;
};

export default function EChart({ label, option, height = 280, onPick }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ECharts>(undefined);
  const { dark } = useAppearance();
  const { token } = theme.useToken();
  useEffect(() => {
    const made = init(box.current!, undefined, { renderer: "canvas" });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current!);
    return () => {
      watch.disconnect();
      made.dispose();
    };
  }, []);
  useEffect(() => {
    const colours: Colours = {
      main: token.colorPrimary,
      second: token.colorInfo,
      good: token.colorSuccess,
      bad: token.colorError,
      warn: token.colorWarning,
      text: token.colorText,
      muted: token.colorTextSecondary,
      line: token.colorBorderSecondary,
      back: token.colorBgContainer,
    };
    const made = option(colours);
    chart.current?.setOption({ ...frame(colours, token.fontFamily), ...made }, true);
  }, [option, dark, token]);
  useEffect(() => {
    const now = chart.current;
    if (!now || !onPick) return;
    const picked = (event: { name: string; data: unknown }) => onPick(event.name, event.data);
    now.on("click", picked as never);
    return () => {
      if (!now.isDisposed()) now.off("click", picked as never);
    };
  }, [onPick]);
  return <div ref={box} role="img" aria-label={label} className="chart" style={{ height }} />;
}

/** What all charts share; ECharts takes axes' colours from `axis` of each option. */
function frame(colours: Colours, fontFamily: string): EChartsCoreOption {
  return {
    animation: false,
    color: [colours.main, colours.second, colours.warn, colours.bad, colours.good, colours.muted],
    textStyle: { color: colours.text, fontFamily },
    grid: { left: 8, right: 30, top: 32, bottom: 8, outerBoundsMode: "same" },
    tooltip: {
      trigger: "axis",
      confine: true,
      backgroundColor: colours.back,
      borderColor: colours.line,
      textStyle: { color: colours.text, fontSize: 12 },
    },
  };
}
