/** Count by scan: each item that is scanned joins the list; what is entered becomes the stock. */
import { App, Button, Popconfirm } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { get, inWords, post, Problem } from "../../api/client";
import { queries } from "../../api/queries";
import type { Schemas } from "../../api/types";
import { useCommand } from "../../parts/command";
import { useFormat } from "../../parts/format";
import { Scan } from "../../parts/Scan";
import { Units } from "../../parts/Units";

type Item = Schemas["ItemTold"];
type Counted = { sku: string; name: string; books: number | null; units: number };

/** The item with exactly this code or GTIN; null = none. */
async function itemOf(code: string): Promise<Item | null> {
  try {
    return await get("/api/items/{sku}", { path: { sku: code } });
  } catch (error) {
    if (!(error instanceof Problem && error.status === 404)) throw error;
  }
  const { rows } = await get("/api/search", { query: { q: code } });
  const hit = rows.find((one) => one.kind === "sku");
  const item = hit && (await get("/api/items/{sku}", { path: { sku: hit.id } }));
  return item?.gtin === code ? item : null;
}

export function Counting({ place }: { place: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { message } = App.useApp();
  const [rows, setRows] = useState<Counted[]>([]);
  const change = (sku: string, units: number) =>
    setRows((before) => before.map((row) => (row.sku === sku ? { ...row, units } : row)));
  const scanned = async (code: string) => {
    try {
      const item = await queries.fetchQuery({ queryKey: ["item", "code", code], queryFn: () => itemOf(code) });
      if (!item) return void message.error(t("count.unknown", { code }), 4);
      const books = item.places.find((one) => one.place === place)?.on_hand ?? null;
      // A scanner is faster than the answers: what is counted meanwhile is in `before`.
      setRows((before) =>
        before.some((row) => row.sku === item.sku)
          ? before.map((row) => (row.sku === item.sku ? { ...row, units: row.units + 1 } : row))
          : [{ sku: item.sku, name: item.name, books, units: 1 }, ...before],
      );
    } catch (error) {
      void message.error(inWords(error as Error), 8);
    }
  };
  const count = useCommand({
    run: (counts: Record<string, number>, key) =>
      post("/api/store/counts", { body: { place, counts, task: null }, key }),
    affects: ["store", "items", "item"],
    done: ({ counted }) => {
      setRows([]);
      void message.success(t("count.done", { count: counted }));
    },
  });
  return (
    <>
      <p className="muted store-about">{t("count.about")}</p>
      <Scan label={t("count.scan")} onCode={(code) => void scanned(code)} />
      <ul className="task-lines">
        {rows.map((row) => (
          <li key={row.sku}>
            <div>
              <strong>{row.name}</strong>
              <div className="muted small">{row.sku}</div>
              <span className="small">{t("count.books", { units: format.quantity(row.books) })}</span>
            </div>
            <Units label={row.name} value={row.units} onChange={(units) => change(row.sku, units)} />
          </li>
        ))}
      </ul>
      {rows.length > 0 && (
        <Popconfirm
          title={t("count.sure", { count: rows.length })}
          okText={t("task.counted")}
          cancelText={t("deciding.cancel")}
          onConfirm={() => count.mutate(Object.fromEntries(rows.map((row) => [row.sku, row.units])))}
        >
          <Button block size="large" type="primary" loading={count.isPending}>
            {t("task.counted")}
          </Button>
        </Popconfirm>
      )}
    </>
  );
}
