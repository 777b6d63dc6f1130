/** All filters live in the address: a link shows the next person the same page. */
import { useCallback, useMemo } from "react";
import { useSearchParams } from "react-router";

/** The filters that stay when another page is opened. */
export const SHARED = ["region", "place", "category", "supplier", "period", "compare"] as const;

export type Filters = Readonly<Record<string, string>>;
export type Patch = Record<string, string | undefined>;

/**
 * The filters of this page and how to change them.
 *
 * `filters` has every search parameter; `shared` those of the scope bar: region, place, category
 * and supplier as the API takes them, the days of the period and what to compare with.
 * `set` puts in or (undefined, "") takes out; the grid's own window starts anew by its key.
 */
export function useScope() {
  const [params, setParams] = useSearchParams();
  const filters: Filters = useMemo(() => Object.fromEntries(params), [params]);
  const shared: Filters = useMemo(
    () =>
      Object.fromEntries(
        SHARED.flatMap((name) => (filters[name] ? [[name, filters[name]]] : [])),
      ),
    [filters],
  );
  const set = useCallback(
    (patch: Patch) =>
      setParams(
        (before) => {
          const after = new URLSearchParams(before);
          for (const [name, value] of Object.entries(patch))
            if (value) after.set(name, value);
            else after.delete(name);
          return after;
        },
        { replace: true },
      ),
    [setParams],
  );
  return { filters, shared, set };
}

/** The address of another page in the same scope, with filters of its own. */
export function addressOf(page: string, shared: Filters, own: Patch = {}): string {
  const all = Object.entries({ ...shared, ...own }).filter(
    (entry): entry is [string, string] => !!entry[1],
  );
  return all.length ? `${page}?${new URLSearchParams(all)}` : page;
}
