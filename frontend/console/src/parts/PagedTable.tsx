/**
 * The table of every list: as many rows as the server has, those in sight asked for in windows.
 *
 * Sort, columns and filters are in the address. It is an ARIA grid: arrows move the row in focus,
 * Enter opens it, space selects it; a page may take further keys (`onKey`).
 */
import { useVirtualizer } from "@tanstack/react-virtual";
import { Spin } from "antd";
import {
  memo,
  useCallback,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from "react";
import { useTranslation } from "react-i18next";
import { Problem } from "../api/client";
import { useScope } from "../app/scope";
import { Failure } from "./Failure";
import { useWindows, WINDOW, type List, type Sight } from "./windows";

export type Column<Row> = {
  name: string;
  title: string;
  width: number;
  /** Numbers stand on the right. */
  numeric?: boolean;
  /** The server sorts by this name when the head is clicked. */
  sort?: string;
  /** Not shown until chosen. */
  extra?: boolean;
  show: (row: Row) => ReactNode;
};

type Props<Row> = List<Row> & {
  label: string;
  columns: Column<Row>[];
  rowKey: (row: Row) => string;
  empty: ReactNode;
  /** What stands in the bar when rows are selected; without it nothing can be. */
  bulk?: (rows: Row[], clear: () => void) => ReactNode;
  onOpen?: (row: Row) => void;
  onFocusRow?: (row: Row) => void;
  onKey?: (key: string, row: Row) => boolean;
  /** Height in px, or what CSS takes; default fills the page. */
  height?: string;
};

const ROW = 38;
const SELECT = 40;

export function PagedTable<Row>(props: Props<Row>) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [sight, setSight] = useState<Sight>({ from: 0, to: 0 });
  const list = useWindows(props, sight);
  const name = JSON.stringify(props.queryKey);
  const picked = useSelection<Row>(name, props.rowKey);
  const [focus, setFocus] = useState(0);
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtual = useVirtualizer({
    count: list.total,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 8,
    onChange: (now) => {
      const from = Math.floor((now.range?.startIndex ?? 0) / WINDOW);
      const to = Math.floor((now.range?.endIndex ?? 0) / WINDOW);
      setSight((before) => (before.from === from && before.to === to ? before : { from, to }));
    },
  });
  useEffect(() => {
    setFocus(0);
    box.current?.scrollTo({ top: 0 });
  }, [name]);
  const focused = list.row(focus);
  const { onFocusRow } = props;
  const focusedKey = focused && props.rowKey(focused);
  useEffect(() => {
    if (focused) onFocusRow?.(focused);
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [focusedKey, onFocusRow]);
  const columns = useShown(props.columns);
  const select = props.bulk !== undefined;
  const width = columns.reduce((sum, one) => sum + one.width, select ? SELECT : 0);
  const tracks = [
    ...(select ? [`${SELECT}px`] : []),
    ...columns.map((one) => `minmax(${one.width}px, ${one.width}fr)`),
  ].join(" ");
  const move = (to: number) => {
    const at = Math.max(0, Math.min(list.total - 1, to));
    setFocus(at);
    virtual.scrollToIndex(at);
    requestAnimationFrame(() =>
      box.current?.querySelector<HTMLElement>(`[data-row="${at}"]`)?.focus({ preventScroll: true }),
    );
  };
  const pressed = (event: KeyboardEvent, at: number, row: Row) => {
    if (event.target !== event.currentTarget) return;
    const page = Math.max(1, Math.floor((box.current?.clientHeight ?? 400) / ROW) - 2);
    const steps: Record<string, () => void> = {
      ArrowDown: () => move(at + 1),
      ArrowUp: () => move(at - 1),
      PageDown: () => move(at + page),
      PageUp: () => move(at - page),
      Home: () => move(0),
      End: () => move(list.total - 1),
      " ": () => select && picked.toggle(row),
    };
    if (props.onKey?.(event.key, row)) event.preventDefault();
    else if (steps[event.key]) {
      steps[event.key]!();
      event.preventDefault();
    } else if (event.key === "Enter") props.onOpen?.(row);
  };
  const acts = useActs<Row>({ pressed, focus: setFocus, open: props.onOpen, toggle: picked.toggle });

  if (list.error instanceof Problem && list.error.status === 404) return props.empty;
  if (list.error) return <Failure error={list.error} retry={list.again} />;
  if (list.waiting) return <Spin className="page-wait" />;
  if (!list.total) return props.empty;
  return (
    <div className="paged">
      <div
        ref={box}
        className="paged-box"
        role="grid"
        aria-label={props.label}
        aria-rowcount={list.more ? -1 : list.total + 1}
        aria-multiselectable={select || undefined}
        style={props.height ? { height: props.height, flex: "none" } : undefined}
      >
        <div
          className="paged-head"
          role="row"
          aria-rowindex={1}
          style={{ gridTemplateColumns: tracks, minWidth: width }}
        >
          {select && (
            <div role="columnheader" className="paged-cell">
              <input
                type="checkbox"
                aria-label={t("table.selectLoaded")}
                checked={picked.rows.length > 0 && picked.rows.length === list.loadedCount}
                onChange={(event) => picked.all(event.target.checked ? list.loaded() : [])}
              />
            </div>
          )}
          {columns.map((column) => (
            <Head key={column.name} column={column} />
          ))}
        </div>
        <div
          className="paged-rows"
          role="rowgroup"
          style={{ height: virtual.getTotalSize(), minWidth: width }}
        >
          {virtual.getVirtualItems().map(({ index, start }) => {
            const row = list.row(index);
            return (
              <Line<Row>
                key={index}
                at={index}
                start={start}
                row={row}
                columns={columns}
                tracks={tracks}
                focused={index === focus}
                picked={select ? row !== undefined && picked.has(row) : undefined}
                acts={acts}
              />
            );
          })}
        </div>
      </div>
      <div className="paged-foot">
        {picked.rows.length > 0 && props.bulk ? (
          <div className="paged-bulk" role="toolbar" aria-label={t("table.bulk")}>
            <strong>{t("table.selected", { count: picked.rows.length })}</strong>
            {props.bulk(picked.rows, picked.clear)}
          </div>
        ) : (
          <span className="muted">{t(list.more ? "table.firstRows" : "table.rows", { count: list.total })}</span>
        )}
      </div>
    </div>
  );
}

type Acts<Row> = {
  pressed: (event: KeyboardEvent, at: number, row: Row) => void;
  focus: (at: number) => void;
  open?: (row: Row) => void;
  toggle: (row: Row) => void;
};

/** The same functions from render to render, that do what the newest ones do. */
function useActs<Row>(now: Acts<Row>): Required<Acts<Row>> {
  const newest = useRef(now);
  useLayoutEffect(() => {
    newest.current = now;
  });
  return useMemo(
    () => ({
      pressed: (...told) => newest.current.pressed(...told),
      focus: (at) => newest.current.focus(at),
      open: (row) => newest.current.open?.(row),
      toggle: (row) => newest.current.toggle(row),
    }),
    [],
  );
}

type LineProps<Row> = {
  at: number;
  start: number;
  row: Row | undefined;
  columns: Column<Row>[];
  tracks: string;
  focused: boolean;
  /** undefined where nothing can be selected. */
  picked: boolean | undefined;
  acts: Required<Acts<Row>>;
};

/** One row; while scrolling, those that stay in sight are not drawn anew. */
const Line = memo(function Line<Row>(props: LineProps<Row>) {
  const { t } = useTranslation();
  const { at, row, columns, picked, acts } = props;
  const place = {
    transform: `translateY(${props.start}px)`,
    height: ROW,
    gridTemplateColumns: props.tracks,
  };
  const keyed = useCallback(
    (event: KeyboardEvent) => row && acts.pressed(event, at, row),
    [acts, at, row],
  );
  if (!row)
    return (
      <div role="row" aria-rowindex={at + 2} className="paged-row paged-wait" style={place}>
        <div role="gridcell" aria-busy="true" />
      </div>
    );
  return (
    <div
      role="row"
      data-row={at}
      aria-rowindex={at + 2}
      aria-selected={picked}
      tabIndex={props.focused ? 0 : -1}
      className={props.focused ? "paged-row paged-focus" : "paged-row"}
      style={place}
      onFocus={() => acts.focus(at)}
      onClick={() => acts.focus(at)}
      onDoubleClick={() => acts.open(row)}
      onKeyDown={keyed}
    >
      {picked !== undefined && (
        <div role="gridcell" className="paged-cell">
          <input
            type="checkbox"
            aria-label={t("table.select")}
            tabIndex={-1}
            checked={picked}
            onChange={() => acts.toggle(row)}
          />
        </div>
      )}
      {columns.map((column) => (
        <div
          key={column.name}
          role="gridcell"
          className={column.numeric ? "paged-cell numeric" : "paged-cell"}
        >
          {column.show(row)}
        </div>
      ))}
    </div>
  );
}) as <Row>(props: LineProps<Row>) => ReactNode;

/** A column's head; a click sorts by it, falling first, a second click rising. */
function Head<Row>({ column }: { column: Column<Row> }) {
  const { filters, set } = useScope();
  const by = filters.sort?.replace(/^-/, "");
  const falling = filters.sort?.startsWith("-");
  const sorted = column.sort !== undefined && by === column.sort;
  const turn = sorted && falling ? column.sort : `-${column.sort}`;
  return (
    <div
      role="columnheader"
      aria-sort={sorted ? (falling ? "descending" : "ascending") : undefined}
      className={column.numeric ? "paged-cell numeric" : "paged-cell"}
    >
      {column.sort ? (
        <button type="button" className="paged-sort" onClick={() => set({ sort: turn })}>
          {column.title}
          <span aria-hidden="true">{sorted ? (falling ? " ↓" : " ↑") : ""}</span>
        </button>
      ) : (
        column.title
      )}
    </div>
  );
}

/** Which rows are selected; another list, or other filters, start with none. */
function useSelection<Row>(list: string, key: (row: Row) => string) {
  const [kept, setKept] = useState({ list, rows: new Map<string, Row>() });
  const rows = kept.list === list ? kept.rows : new Map<string, Row>();
  const keep = (next: Map<string, Row>) => setKept({ list, rows: next });
  return {
    rows: [...rows.values()],
    has: (row: Row) => rows.has(key(row)),
    clear: () => keep(new Map()),
    all: (listed: Row[]) => keep(new Map(listed.map((row) => [key(row), row]))),
    toggle: (row: Row) => {
      const next = new Map(rows);
      if (!next.delete(key(row))) next.set(key(row), row);
      keep(next);
    },
  };
}

/** The columns the address asks for, else the usual ones, in their order. */
export function useShown<Row>(columns: Column<Row>[]): Column<Row>[] {
  const { filters } = useScope();
  return useMemo(() => {
    const chosen = filters.columns?.split(",");
    return columns.filter((one) => (chosen ? chosen.includes(one.name) : !one.extra));
  }, [columns, filters.columns]);
}
