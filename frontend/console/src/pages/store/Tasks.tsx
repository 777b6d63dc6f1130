/** The tasks of a place, the most urgent first, each with the time that is left for it. */
import { useQuery } from "@tanstack/react-query";
import { Select, Skeleton } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { TaskDrawer } from "./TaskDrawer";

export type Task = Schemas["TaskTold"];

const KINDS = ["pick", "hand_over", "shelf", "receive", "inspect", "count", "discrepancy"];
const ASK_EVERY_MS = 15_000;
const SOON_MS = 15 * 60_000;

export function Tasks({ place }: { place: string }) {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const kind = filters.kind;
  const { data, error, refetch, dataUpdatedAt } = useQuery({
    queryKey: ["store", "tasks", place, kind],
    queryFn: ({ signal }) => get("/api/store/tasks", { query: { place, kind }, signal }),
    refetchInterval: ASK_EVERY_MS,
  });
  const now = useServerTime(data?.now, dataUpdatedAt);
  const open = data?.rows.find((task) => task.id === filters.task);
  return (
    <>
      <Select
        aria-label={t("col.kind")}
        placeholder={t("store.allTasks")}
        allowClear
        size="large"
        value={kind}
        options={KINDS.map((one) => ({ value: one, label: t(`task.kind.${one}`) }))}
        onChange={(chosen?: string) => set({ kind: chosen })}
      />
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton active title={false} />}
      {data?.total === 0 && <Empty what={t("store.noTasks")} todo={t("store.noTasksTodo")} />}
      <ul className="cards" aria-label={t("store.tab.tasks")}>
        {data?.rows.map((task) => (
          <li key={task.id}>
            <TaskCard task={task} now={now} onOpen={() => set({ task: task.id })} />
          </li>
        ))}
      </ul>
      {data && data.total > data.rows.length && (
        <p className="muted">{t("store.moreTasks", { count: data.total - data.rows.length })}</p>
      )}
      <TaskDrawer key={filters.task} task={open} onClose={() => set({ task: undefined })} />
    </>
  );
}

type CardProps = { task: Task; now: number; onOpen: () => void };

function TaskCard({ task, now, onOpen }: CardProps) {
  const { t } = useTranslation();
  const left = task.due_at ? Date.parse(task.due_at) - now : undefined;
  const look = left === undefined ? "" : left < 0 ? "late" : left < SOON_MS ? "soon" : "";
  const units = task.lines.reduce((sum, line) => sum + line.quantity, 0);
  return (
    <button type="button" className={`card ${look}`} onClick={onOpen}>
      <span className="card-head">
        <strong>{t(`task.kind.${task.kind}`, { defaultValue: task.kind })}</strong>
        {left !== undefined && <Left ms={left} />}
      </span>
      <span className="card-what">
        {task.lines.map((line) => `${line.name} × ${line.quantity}`).join(", ") || task.note}
      </span>
      <span className="muted small">
        {[t("store.units", { count: units }), task.note, task.taken_by && t("store.takenBy", { who: task.taken_by })]
          .filter(Boolean)
          .join(" · ")}
      </span>
    </button>
  );
}

/** The time that is left until something is due, or since it was. */
function Left({ ms }: { ms: number }) {
  const { t } = useTranslation();
  const minutes = Math.floor(Math.abs(ms) / 60_000);
  const time =
    minutes < 60
      ? t("store.minutes", { minutes })
      : minutes < 2880
        ? t("store.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 })
        : t("store.days", { days: Math.floor(minutes / 1440) });
  return <span className="numeric due">{t(ms < 0 ? "store.overdue" : "store.left", { time })}</span>;
}

/** The server's time, going on here: a handheld's own clock may be wrong. */
function useServerTime(told: string | undefined, at: number): number {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((count) => count + 1), 1000);
    return () => clearInterval(timer);
  }, []);
  // eslint-disable-next-line react-hooks/purity
  return told ? Date.parse(told) + (Date.now() - at) : 0;
}
