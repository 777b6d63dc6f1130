/** Short names for the shapes of the API; the shapes themselves are generated (schema.d.ts). */
import type { components } from "./schema";

export type Schemas = components["schemas"];
export type Line = Schemas["LineRow"];
export type LineTold = Schemas["LineTold"];
export type Explanation = Schemas["Explained"];
export type AutoRule = Schemas["AutoRule"];
export type Deed = DecisionRow["deeds"][number];
export type Term = Schemas["Term"];
export type Series = Schemas["Series"];
export type HistoryStep = Schemas["HistoryStep"];
export type DecisionRow = Schemas["DecisionRow"];
export type Tile = Schemas["Tile"];
export type Cockpit = Schemas["Cockpit"];
export type ExceptionRow = Schemas["ExceptionRow"];
