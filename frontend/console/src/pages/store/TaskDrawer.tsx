/** One task done: picked by scan, handed over by code, looked at, counted. */
import { useQuery } from "@tanstack/react-query";
import { App, Button, Popconfirm, Space } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get, post } from "../../api/client";
import { useMay, useSession } from "../../app/session";
import { SideDrawer } from "../../parts/SideDrawer";
import { useCommand } from "../../parts/command";
import { Failure } from "../../parts/Failure";
import { Label } from "../../parts/Recipient";
import { Scan } from "../../parts/Scan";
import { Units } from "../../parts/Units";
import { HandOver } from "./HandOver";
import { Instead, type Swap } from "./Instead";
import { Inspect } from "./ReturnCards";
import type { Task } from "./Tasks";

type Props = { task: Task | undefined; onClose: () => void };
type Counts = Record<string, number>;
type Swaps = Record<string, Swap | undefined>;
const AFFECTS = ["store", "sales"];
const COUNTED = new Set(["count", "discrepancy"]);

export function TaskDrawer({ task, onClose }: Props) {
  const { t } = useTranslation();
  return (
    <SideDrawer
      open={task !== undefined}
      onClose={onClose}
      size="min(560px, 100vw)"
      title={task && t(`task.kind.${task.kind}`, { defaultValue: task.kind })}
      destroyOnHidden
    >
      {task && (
        <div tabIndex={0} className="drawer-told store">
          <p className="reason">{task.note}</p>
          <Taken task={task}>
            <Work task={task} onClose={onClose} />
          </Taken>
        </div>
      )}
    </SideDrawer>
  );
}

/** What a task needs: only once it is in one's own hands. */
function Taken({ task, children }: { task: Task; children: ReactNode }) {
  const { t } = useTranslation();
  const may = useMay();
  const { data: session } = useSession();
  const take = useCommand({
    run: (over: boolean) =>
      post("/api/store/tasks/{task}/take", { path: { task: task.id }, body: { over } }),
    affects: AFFECTS,
  });
  if (!may("sales.pick")) return <Lines task={task} />;
  if (task.state === "taken" && task.taken_by === session?.name) return children;
  const over = task.state === "taken";
  return (
    <>
      <Lines task={task} />
      <Button
        block
        size="large"
        type="primary"
        loading={take.isPending}
        onClick={() => take.mutate(over)}
      >
        {t(over ? "task.takeOver" : "task.take", { who: task.taken_by })}
      </Button>
    </>
  );
}

function Lines({ task }: { task: Task }) {
  return (
    <ul className="task-lines">
      {task.lines.map((line) => (
        <li key={line.sku}>
          <strong className="numeric">{line.quantity} ×</strong> {line.name}{" "}
          <span className="muted">{line.sku}</span>
        </li>
      ))}
    </ul>
  );
}

function Work({ task, onClose }: { task: Task; onClose: () => void }) {
  const about = task.subject.split("/")[1] ?? "";
  if (task.kind === "hand_over") return <Handing task={task} shipment={about} onClose={onClose} />;
  if (task.kind === "inspect" && task.subject.startsWith("return/"))
    return <Inspected id={about} onClose={onClose} />;
  return <Amounts task={task} onClose={onClose} />;
}

/** A shopper shows a code; what a courier fetches is simply given. */
function Handing({ task, shipment, onClose }: { task: Task; shipment: string; onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ["store", "shipment", shipment],
    queryFn: () => get("/api/store/shipments/{shipment}", { path: { shipment } }),
  });
  const may = useMay();
  if (error) return <Failure error={error} />;
  if (!data) return null;
  return (
    <>
      <Lines task={task} />
      {data.method === "pickup" ? (
        <HandOver shipment={shipment} onDone={onClose} />
      ) : (
        <>
          {may("recipients.label") && (
            <Label
              show={() => get("/api/store/shipments/{shipment}/label", { path: { shipment } })}
            />
          )}
          <Finish task={task} onClose={onClose} />
        </>
      )}
    </>
  );
}

function Inspected({ id, onClose }: { id: string; onClose: () => void }) {
  const { data, error } = useQuery({
    queryKey: ["store", "return", id],
    queryFn: () => get("/api/store/returns/{return_id}", { path: { return_id: id } }),
  });
  if (error) return <Failure error={error} />;
  return data ? <Inspect back={data} onDone={onClose} /> : null;
}

/** How many of each line were there; a scan adds one. */
function Amounts({ task, onClose }: { task: Task; onClose: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const counts = COUNTED.has(task.kind);
  const [done, setDone] = useState<Counts>({});
  const [swaps, setSwaps] = useState<Swaps>({});
  const most = (sku: string) =>
    counts ? undefined : task.lines.find((line) => line.sku === sku)?.quantity;
  const scanned = (code: string) => {
    const line = task.lines.find((one) => one.sku === code || one.gtin === code);
    if (!line) return void message.error(t("task.notOfIt", { code }), 4);
    const next = (done[line.sku] ?? 0) + 1;
    if (next > (most(line.sku) ?? Infinity)) return void message.warning(t("task.enough", { item: line.name }), 4);
    setDone({ ...done, [line.sku]: next });
  };
  return (
    <>
      <Scan label={t("task.scan")} onCode={scanned} />
      <ul className="task-lines">
        {task.lines.map((line) => (
          <li key={line.sku} className={!counts && done[line.sku] === line.quantity ? "whole" : ""}>
            <div>
              <strong>{line.name}</strong>
              <div className="muted small">
                {line.sku} {line.gtin}
              </div>
              {!counts && <span className="numeric">{t("task.of", { count: line.quantity })}</span>}
            </div>
            <Units
              label={line.name}
              value={done[line.sku] ?? 0}
              most={most(line.sku)}
              onChange={(value) => setDone({ ...done, [line.sku]: value })}
            />
            {task.kind === "pick" && (done[line.sku] ?? 0) < line.quantity && (
              <Instead
                task={task.id}
                sku={line.sku}
                missing={line.quantity - (done[line.sku] ?? 0)}
                value={swaps[line.sku]}
                onChange={(swap) => setSwaps({ ...swaps, [line.sku]: swap })}
              />
            )}
          </li>
        ))}
      </ul>
      <Finish task={task} done={done} swaps={swaps} onDone={setDone} onClose={onClose} />
    </>
  );
}

type FinishProps = {
  task: Task;
  done?: Counts;
  swaps?: Swaps;
  onDone?: (done: Counts) => void;
  onClose: () => void;
};

/** The end of a task. What is missing is asked about before: it is looked for elsewhere. */
function Finish({ task, done, swaps = {}, onDone, onClose }: FinishProps) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const counts = COUNTED.has(task.kind);
  const ended = () => {
    void message.success(t("task.done"));
    onClose();
  };
  const finish = useCommand({
    run: (told: Counts | undefined, key) =>
      post("/api/store/tasks/{task}/finish", {
        path: { task: task.id },
        body: { done: told ?? null, instead, note: "" },
        key,
      }),
    affects: AFFECTS,
    done: ended,
  });
  const count = useCommand({
    run: (told: Counts, key) =>
      post("/api/store/counts", { body: { place: task.place, counts: told, task: task.id }, key }),
    affects: AFFECTS,
    done: ended,
  });
  const short = task.lines.filter((line) => (done?.[line.sku] ?? 0) < line.quantity);
  const instead = Object.fromEntries(
    short.flatMap(({ sku }) => (swaps[sku] ? [[sku, swaps[sku]]] : [])),
  );
  const all = Object.fromEntries(task.lines.map((line) => [line.sku, line.quantity]));
  const told = Object.fromEntries(task.lines.map((line) => [line.sku, done?.[line.sku] ?? 0]));
  const missing = short
    .filter((line) => !swaps[line.sku])
    .reduce((sum, line) => sum + line.quantity - (told[line.sku] ?? 0), 0);
  const pending = finish.isPending || count.isPending;
  const button = (
    <Button block size="large" type="primary" loading={pending} onClick={() => {
      if (counts) count.mutate(told);
      else if (!done || missing === 0) finish.mutate(done && told);
    }}>
      {t(counts ? "task.counted" : "task.finish")}
    </Button>
  );
  if (counts || !done || missing === 0) return button;
  return (
    <Space orientation="vertical" className="wide">
      <Button block size="large" onClick={() => onDone?.(all)}>
        {t("task.all")}
      </Button>
      <Popconfirm
        title={t(task.kind === "pick" ? "task.short" : "task.less", { count: missing })}
        okText={t("task.finishShort")}
        cancelText={t("deciding.cancel")}
        onConfirm={() => finish.mutate(told)}
      >
        {/* The question is asked by the click. */}
        <Button block size="large" danger loading={pending}>
          {t("task.missing", { count: missing })}
        </Button>
      </Popconfirm>
    </Space>
  );
}
