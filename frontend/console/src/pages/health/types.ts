import type { Schemas } from "../../api/types";

export type Cell = Schemas["Cell"];
export type Aged = Schemas["Aged"];
export type Bar = Schemas["Bar"];
export type Slow = Schemas["Slow"];
export type Move = Schemas["Move"];
