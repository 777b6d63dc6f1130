/** The console's pages: their address, name in the menu, icon, and the action that opens them. */
import {
  AlertOutlined,
  DashboardOutlined,
  EnvironmentOutlined,
  ExperimentOutlined,
  FileDoneOutlined,
  GiftOutlined,
  HeartOutlined,
  ImportOutlined,
  LineChartOutlined,
  SettingOutlined,
  ShopOutlined,
  ShoppingOutlined,
  ShoppingCartOutlined,
  TableOutlined,
  TagsOutlined,
} from "@ant-design/icons";
import type { ComponentType, ReactNode } from "react";
import { brought, type Brought } from "../parts/brought";
import { bringCharts } from "../parts/Chart";
import type { Filters } from "./scope";

export type Page = {
  name: string;
  path: string;
  icon: ReactNode;
  group: "decide" | "sell" | "understand" | "keep";
  /** The actions any of which opens the page. */
  actions: string[];
  /** Ask for what the page shows first in a scope: somebody points at its name in the menu. */
  ahead: (shared: Filters) => void;
} & Brought<object>;

const page = (
  group: Page["group"],
  name: string,
  actions: string[],
  icon: ReactNode,
  load: () => Promise<{ default: ComponentType; ahead?: (shared: Filters) => void }>,
): Page => ({
  group,
  name,
  path: `/${name}`,
  actions,
  icon,
  ...brought(load),
  // What can't be brought now is asked for again, and told, when the page is opened.
  ahead: (shared) => void load().then((code) => code.ahead?.(shared), () => undefined),
});

export const PAGES: Page[] = [
  page("decide", "cockpit", ["cockpit.read"], <DashboardOutlined />, () => import("../pages/cockpit/Cockpit")),
  page("decide", "workbench", ["forecast.read"], <TableOutlined />, () => import("../pages/workbench/Workbench")),
  page("decide", "exceptions", ["health.read"], <AlertOutlined />, () => import("../pages/exceptions/Exceptions")),
  page("decide", "decisions", ["decisions.read"], <FileDoneOutlined />, () => import("../pages/decisions/Decisions")),
  page("decide", "orders", ["orders.read"], <ShoppingCartOutlined />, () => import("../pages/orders/Orders")),
  page("sell", "sales", ["sales.read"], <ShoppingOutlined />, () => import("../pages/sales/Sales")),
  page("sell", "store", ["sales.pick"], <ShopOutlined />, () => import("../pages/store/Store")),
  page("sell", "promises", ["promises.read"], <EnvironmentOutlined />, () => import("../pages/promises/Promises")),
  page("sell", "members", ["members.read", "loyalty.read"], <GiftOutlined />, () => import("../pages/members/Members")),
  page("understand", "items", ["stock.read"], <TagsOutlined />, () => import("../pages/items/Items")),
  page("understand", "health", ["health.read"], <HeartOutlined />, () => import("../pages/health/Health")),
  page("understand", "forecast", ["forecast.read"], <LineChartOutlined />, () => import("../pages/forecast/Forecast")),
  page("understand", "simulator", ["policy.simulate"], <ExperimentOutlined />, () => import("../pages/simulator/Simulator")),
  page("keep", "imports", ["data.read"], <ImportOutlined />, () => import("../pages/imports/Imports")),
  page("keep", "admin", ["accounts.manage", "audit.read"], <SettingOutlined />, () => import("../pages/admin/Admin")),
];

/** Whether somebody who may do what `may` says opens a page. */
export const opens = (name: string, may: (action: string) => boolean): boolean =>
  PAGES.some((one) => one.name === name && one.actions.some(may));

/** Where a role begins that doesn't begin with the first page it may open. */
const BEGINS: Record<string, string> = { store: "store", service: "sales" };

/** The page somebody comes to after signing in. */
export function firstPage(pages: Page[], roles: string[]): Page | undefined {
  const begins = roles.length === 1 ? BEGINS[roles[0]!] : undefined;
  return pages.find((one) => one.name === begins) ?? pages[0];
}

/** So long the line is left to the page that somebody waits for. */
const FIRST_PAGE_MS = 1500;

/**
 * Bring the code of these pages, and of charts, while the browser has nothing else to do: opening
 * one of them then waits for its data alone. One after the other, so that a click goes first.
 */
export function bringAhead(pages: Page[]): () => void {
  const loads = [bringCharts, ...pages.map((one) => one.bring)];
  let stopped = false;
  const next = () => {
    const load = loads.shift();
    // What can't be brought now is asked for again, and told, when its page is opened.
    if (load && !stopped) void load().catch(() => undefined).then(() => idle(next));
  };
  const later = setTimeout(next, FIRST_PAGE_MS);
  return () => {
    stopped = true;
    clearTimeout(later);
  };
}

const idle = (run: () => void) =>
  "requestIdleCallback" in window ? requestIdleCallback(run, { timeout: 3000 }) : setTimeout(run, 500);

/** The pages that these actions open, in the order of the menu. */
export function pagesFor(actions: string[]): Page[] {
  return PAGES.filter((one) => one.actions.some((action) => actions.includes(action)));
}
