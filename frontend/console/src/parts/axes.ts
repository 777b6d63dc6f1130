/** Axes in the theme's colours, with the unit at the top of the value axis. */
import type { Colours } from "./EChart";

export function categoryAxis(colours: Colours, data: string[]) {
  return {
    type: "category" as const,
    data,
    axisLine: { lineStyle: { color: colours.line } },
    axisTick: { show: false },
    axisLabel: { color: colours.muted, hideOverlap: true },
  };
}

export function valueAxis(colours: Colours, unit: string, show?: (value: number) => string) {
  return {
    type: "value" as const,
    name: unit,
    nameTextStyle: { color: colours.muted, align: "left" as const },
    axisLabel: { color: colours.muted, formatter: show },
    splitLine: { lineStyle: { color: colours.line } },
  };
}

export const legend = (colours: Colours) => ({
  top: 0,
  right: 0,
  itemWidth: 14,
  itemHeight: 9,
  itemGap: 8,
  textStyle: { color: colours.text },
  inactiveColor: colours.muted,
});
