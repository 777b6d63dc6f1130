/** What is to come for this place, and what leaves it for others: taken in, or sent, by scan. */
import { useQuery } from "@tanstack/react-query";
import { App, Button, Form, Input, Skeleton } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { get, post } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { SideDrawer } from "../../parts/SideDrawer";
import { useCommand } from "../../parts/command";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { useFormat } from "../../parts/format";
import { Scan } from "../../parts/Scan";
import { SearchBox } from "../../parts/SearchBox";
import { Units } from "../../parts/Units";

type Order = Schemas["OrderTold"];
type Way = "receive" | "send";
const SHOWN = 50;

export function Deliveries({ place }: { place: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { filters, set } = useScope();
  const way: Way = filters.way === "send" ? "send" : "receive";
  const at = way === "send" ? { supplier: place } : { place };
  const { data, error, refetch } = useQuery({
    queryKey: ["orders", "store", way, place, filters.search],
    queryFn: ({ signal }) =>
      get("/api/orders", { query: { ...at, search: filters.search, limit: SHOWN }, signal }),
  });
  return (
    <>
      <div className="store-filters">
        <SearchBox hint={t("orders.search")} />
        <Button onClick={() => set({ way: way === "send" ? undefined : "send" })}>
          {t(way === "send" ? "deliveries.toReceive" : "deliveries.toSend")}
        </Button>
      </div>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton active title={false} />}
      {data?.total === 0 && <Empty what={t(`deliveries.none.${way}`)} todo={t("deliveries.noneTodo")} />}
      <ul className="cards" aria-label={t("store.tab.deliveries")}>
        {data?.rows.map((order) => (
          <li key={order.name}>
            <button type="button" className="card" onClick={() => set({ order: order.name })}>
              <span className="card-head">
                <strong>{order.name}</strong>
                <span>{t(`orderState.${order.status}`, { defaultValue: order.status })}</span>
              </span>
              <span className="card-what">{way === "send" ? order.place : order.supplier_name}</span>
              <span className="muted small">
                {t("deliveries.units", { received: format.quantity(order.received), ordered: format.quantity(order.quantity), day: format.date(order.expected_on) })}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <Delivery name={filters.order} way={way} onClose={() => set({ order: undefined })} />
    </>
  );
}

type Props = { name: string | undefined; way: Way; onClose: () => void };

function Delivery({ name, way, onClose }: Props) {
  const { data, error } = useQuery({
    queryKey: ["orders", "one", name],
    queryFn: () => get("/api/orders/{name}", { path: { name: name ?? "" } }),
    enabled: !!name,
  });
  return (
    <SideDrawer open={!!name} onClose={onClose} size="min(560px, 100vw)" title={name} destroyOnHidden>
      {error && <Failure error={error} />}
      {data && data.name === name && <Goods key={name} order={data} way={way} onClose={onClose} />}
    </SideDrawer>
  );
}

function Goods({ order, way, onClose }: { order: Order; way: Way; onClose: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { message } = App.useApp();
  const [note, setNote] = useState("");
  const [units, setUnits] = useState<Record<string, number>>({});
  const lines = Object.entries(units)
    .filter(([, count]) => count > 0)
    .map(([sku, count]) => ({ sku, units: count, lot: null, expires: null }));
  const tell = useCommand({
    run: (body: Schemas["GoodsEntered"], key) =>
      way === "send"
        ? post("/api/store/orders/{order}/send", { path: { order: order.name }, body, key })
        : post("/api/store/orders/{order}/receive", { path: { order: order.name }, body, key }),
    affects: ["orders", "store", "workbench", "line"],
    done: () => {
      void message.success(t(`deliveries.done.${way}`));
      onClose();
    },
  });
  const add = (sku: string) => setUnits({ ...units, [sku]: (units[sku] ?? 0) + 1 });
  const scanned = (code: string) => {
    if (order.lines.some((line) => line.sku === code)) add(code);
    else void message.error(t("task.notOfIt", { code }), 4);
  };
  return (
    <div tabIndex={0} className="drawer-told store">
      <Scan label={t("task.scan")} onCode={scanned} />
      <ul className="task-lines">
        {order.lines.map((line) => (
          <li key={line.sku}>
            <div>
              <strong>{line.item_name}</strong>
              <div className="muted small">{line.sku}</div>
              <span className="numeric small">
                {t("deliveries.line", { received: format.quantity(line.received), ordered: format.quantity(line.quantity) })}
              </span>
            </div>
            <Units
              label={line.item_name}
              value={units[line.sku] ?? 0}
              onChange={(value) => setUnits({ ...units, [line.sku]: value })}
            />
          </li>
        ))}
      </ul>
      <Button
        block
        size="large"
        onClick={() => setUnits(Object.fromEntries(order.lines.map((line) => [line.sku, Math.max(0, line.quantity - line.received)])))}
      >
        {t("deliveries.rest")}
      </Button>
      <Form.Item htmlFor="note" label={t(`deliveries.note.${way}`)} layout="vertical" className="store-note">
        <Input id="note" size="large" value={note} maxLength={100} onChange={(event) => setNote(event.target.value)} />
      </Form.Item>
      <Button
        block
        size="large"
        type="primary"
        disabled={!lines.length || !note.trim()}
        loading={tell.isPending}
        onClick={() => tell.mutate({ note: note.trim(), lines })}
      >
        {t(`deliveries.tell.${way}`)}
      </Button>
    </div>
  );
}
