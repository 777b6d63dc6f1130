/** A long list by windows: only the rows in sight are asked for. */
import { useQueries } from "@tanstack/react-query";
import { queries } from "../api/queries";

export const WINDOW = 200;

/** What a paged list answers; `more` = the list goes on after `total` rows, which can't be seen. */
export type Paged<Row> = {
  rows: Row[];
  total: number;
  more?: boolean;
  offset?: number;
  as_of?: string | null;
};
export type Load<Row> = (
  query: { offset: number; limit: number },
  signal: AbortSignal,
) => Promise<Paged<Row>>;

/** A list by its name, with all its filters, and how its rows are asked for. */
export type List<Row> = { queryKey: readonly unknown[]; load: Load<Row> };

const windowOf = <Row>(list: List<Row>, number: number) => ({
  queryKey: [...list.queryKey, { window: number }],
  queryFn: ({ signal }: { signal: AbortSignal }) =>
    list.load({ offset: number * WINDOW, limit: WINDOW }, signal),
});

/** Ask for the head of a list that somebody is about to open. */
export const bringHead = <Row>(list: List<Row>) => queries.prefetchQuery(windowOf(list, 0));

/** The windows in sight: the first and the last. */
export type Sight = { from: number; to: number };

/**
 * The rows in the windows in sight of a list that the server sorts and filters.
 *
 * A list of another name starts anew. Gives how many rows there
 * are (the first window is always held, so that this is known), the row at a place (undefined =
 * not here yet), and the first failure.
 */
export function useWindows<Row>(
  list: List<Row>,
  sight: Sight,
) {
  const numbers = [0];
  for (let number = Math.max(1, sight.from); number <= sight.to; number += 1) numbers.push(number);
  const asked = useQueries({
    queries: numbers.map((number) => windowOf(list, number)),
  });
  const first = asked[0]?.data;
  return {
    total: first?.total ?? 0,
    more: first?.more ?? false,
    asOf: first?.as_of,
    loaded: () => asked.flatMap((one) => one.data?.rows ?? []),
    loadedCount: asked.reduce((sum, one) => sum + (one.data?.rows.length ?? 0), 0),
    row: (at: number): Row | undefined =>
      asked[numbers.indexOf(Math.floor(at / WINDOW))]?.data?.rows[at % WINDOW],
    error: asked.find((one) => one.error)?.error ?? null,
    waiting: first === undefined,
    again: () => asked.forEach((one) => void one.refetch()),
  };
}
