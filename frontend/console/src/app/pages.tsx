/** The console's pages: their address, name in the menu, icon, and the action that opens them. */
import { type ComponentType, type ReactNode } from "react";

export type Page = {
  name: string;
  path: string;
  icon: ReactNode;
  group: "decide" | "understand" | "keep";
  /** The actions any of which opens the page; none = everyone signed in. */
  actions: string[];
  view: ComponentType;
};

export const PAGES: Page[] = [];

/** The pages that these actions open, in the order of the menu. */
export function pagesFor(actions: string[]): Page[] {
  return PAGES.filter(
    (page) => !page.actions.length || page.actions.some((action) => actions.includes(action)),
  );
}
