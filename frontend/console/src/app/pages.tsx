/** The console's pages: their address, name in the menu, icon, and the action that opens them. */
import {
  AlertOutlined,
  DashboardOutlined,
  ExperimentOutlined,
  FileDoneOutlined,
  HeartOutlined,
  ImportOutlined,
  LineChartOutlined,
  SettingOutlined,
  ShoppingCartOutlined,
  TableOutlined,
} from "@ant-design/icons";
import { lazy, type ComponentType, type ReactNode } from "react";

export type Page = {
  name: string;
  path: string;
  icon: ReactNode;
  group: "decide" | "understand" | "keep";
  /** The actions any of which opens the page. */
  actions: string[];
  view: ComponentType;
};

const page = (
  group: Page["group"],
  name: string,
  actions: string[],
  icon: ReactNode,
  load: () => Promise<{ default: ComponentType }>,
): Page => ({
  group,
  name,
  path: name === "cockpit" ? "/" : `/${name}`,
  actions,
  icon,
  view: lazy(load),
});

export const PAGES: Page[] = [
  page("decide", "cockpit", ["cockpit.read"], <DashboardOutlined />, () => import("../pages/cockpit/Cockpit")),
  page("decide", "workbench", ["decisions.read"], <TableOutlined />, () => import("../pages/workbench/Workbench")),
  page("decide", "exceptions", ["decisions.read"], <AlertOutlined />, () => import("../pages/exceptions/Exceptions")),
  page("decide", "decisions", ["decisions.read"], <FileDoneOutlined />, () => import("../pages/decisions/Decisions")),
  page("decide", "orders", ["orders.read"], <ShoppingCartOutlined />, () => import("../pages/orders/Orders")),
  page("understand", "health", ["health.read"], <HeartOutlined />, () => import("../pages/health/Health")),
  page("understand", "forecast", ["forecast.read"], <LineChartOutlined />, () => import("../pages/forecast/Forecast")),
  page("understand", "simulator", ["policy.simulate"], <ExperimentOutlined />, () => import("../pages/simulator/Simulator")),
  page("keep", "imports", ["data.read"], <ImportOutlined />, () => import("../pages/imports/Imports")),
  page("keep", "admin", ["accounts.manage", "audit.read"], <SettingOutlined />, () => import("../pages/admin/Admin")),
];

/** The pages that these actions open, in the order of the menu. */
export function pagesFor(actions: string[]): Page[] {
  return PAGES.filter((one) => one.actions.some((action) => actions.includes(action)));
}
