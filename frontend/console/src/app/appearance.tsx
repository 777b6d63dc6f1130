/** Light or dark, and Ant Design's tokens for both. */
import { theme as antd, type ThemeConfig } from "antd";
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from "react";

type Appearance = { dark: boolean; setDark: (dark: boolean) => void };
const Context = createContext<Appearance>({ dark: false, setDark: () => undefined });
export const useAppearance = () => use(Context);

const KEY = "sanhe.dark";

function preferred(): boolean {
  const kept = localStorage.getItem(KEY);
  return kept ? kept === "1" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function AppearanceProvider({ children }: { children: ReactNode }) {
  const [dark, setDark] = useState(preferred);
  useEffect(() => {
    localStorage.setItem(KEY, dark ? "1" : "0");
    document.documentElement.style.colorScheme = dark ? "dark" : "light";
    document.documentElement.dataset.dark = dark ? "1" : "0";
  }, [dark]);
  return <Context value={useMemo(() => ({ dark, setDark }), [dark])}>{children}</Context>;
}

/** The tokens: greys darker than Ant Design's own, so that small text has a contrast of 4.5. */
export function tokens(dark: boolean): ThemeConfig {
  const grey = dark ? "rgba(255,255,255,0.68)" : "rgba(0,0,0,0.64)";
  const chosen = dark ? "#173029" : "#e2f0eb";
  return {
    algorithm: dark ? antd.darkAlgorithm : antd.defaultAlgorithm,
    cssVar: { key: "sanhe" },
    hashed: false,
    token: {
      colorPrimary: dark ? "#2fae93" : "#0b6b58",
      colorLink: dark ? "#4cc9ad" : "#0b6b58",
      colorInfo: dark ? "#5aa9e6" : "#1561a8",
      colorError: dark ? "#ff7a75" : "#c0271f",
      colorWarning: dark ? "#f0b429" : "#9a5b00",
      colorSuccess: dark ? "#5fce8b" : "#1b7a3d",
      colorTextSecondary: grey,
      colorTextTertiary: grey,
      colorTextDescription: grey,
      colorTextPlaceholder: grey,
      colorTextHeading: dark ? "rgba(255,255,255,0.9)" : "rgba(0,0,0,0.9)",
      ...(dark
        ? {
            colorBgLayout: "#0d1110",
            colorBgContainer: "#161b1a",
            colorBgElevated: "#1d2423",
            colorTextLightSolid: "#06231c",
          }
        : { colorBgLayout: "#f4f6f5" }),
      controlItemBgActive: chosen,
      controlItemBgActiveHover: chosen,
      borderRadius: 6,
      fontFamily:
        'system-ui, -apple-system, "Segoe UI", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif',
    },
    components: {
      Layout: {
        headerBg: dark ? "#161b1a" : "#ffffff",
        siderBg: dark ? "#121716" : "#ffffff",
        headerHeight: 52,
        headerPadding: "0 16px",
      },
      Menu: {
        itemHeight: 36,
        itemSelectedBg: chosen,
        itemSelectedColor: dark ? "#6fdcc2" : "#0b6b58",
      },
      Tooltip: dark ? { colorTextLightSolid: "rgba(255,255,255,0.92)" } : {},
    },
  };
}
