/** The cockpit: what to do now, how the figures stand against target and before, where it lies. */
import { useQuery } from "@tanstack/react-query";
import { Button, Spin } from "antd";
import dayjs from "dayjs";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { get, Problem } from "../../api/client";
import type { Cockpit as Told } from "../../api/types";
import { useChoices } from "../../app/ScopeBar";
import { addressOf, useScope } from "../../app/scope";
import { opens } from "../../app/pages";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { useFormat } from "../../parts/format";
import { PageHead } from "../../parts/PageHead";
import { CategoryMap, InventoryDays } from "./charts";
import { Regions } from "./Regions";
import { Tiles } from "./Tiles";

export default function Cockpit() {
  const { t } = useTranslation();
  const { shared } = useScope();
  const { data: choices } = useChoices();
  const { period, compare, ...scope } = shared;
  const days = Number(period ?? 28);
  const query = { ...scope, compare_to: earlier(choices?.as_of, compare === "year" ? 364 : days) };
  const { data, error, refetch } = useQuery({
    queryKey: ["cockpit", query],
    queryFn: ({ signal }) => get("/api/cockpit", { query, signal }),
    placeholderData: (before) => before,
  });
  const unplanned = error instanceof Problem && error.status === 404;
  return (
    <div className="page">
      <PageHead page="cockpit" />
      {unplanned && <Empty what={t("cockpit.none")} todo={t("cockpit.noneTodo")} />}
      {error && !unplanned && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Spin className="page-wait" />}
      {data && !error && <Shown told={data} days={days} />}
    </div>
  );
}

/** The day so many days before another, as ISO. */
function earlier(day: string | null | undefined, days: number): string | undefined {
  return day ? dayjs(day).subtract(days, "day").format("YYYY-MM-DD") : undefined;
}

function Shown({ told, days }: { told: Told; days: number }) {
  const { t } = useTranslation();
  return (
    <>
      <Todo todo={told.todo} />
      <Tiles tiles={told.tiles} before={told.compare_to} />
      <div className="panels">
        <section className="panel">
          <h2>{t("cockpit.days")}</h2>
          <InventoryDays days={told.days.slice(-days)} />
        </section>
        <section className="panel">
          <h2>{t("cockpit.categories")}</h2>
          <CategoryMap categories={told.categories} />
        </section>
      </div>
      <section className="panel">
        <h2>{t("cockpit.regions")}</h2>
        <Regions regions={told.regions} tiles={told.tiles} />
      </section>
    </>
  );
}

/** One line for each kind of alert, one action each, by the money in it. */
function Todo({ todo }: { todo: Told["todo"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { shared } = useScope();
  const may = useMay();
  if (!todo.length) return <section className="panel muted">{t("cockpit.nothingToDo")}</section>;
  return (
    <section className="todo" aria-label={t("cockpit.todo")}>
      {todo.map((one) => {
        const to = addressOf("/exceptions", shared, { kind: one.kind });
        return (
          <div key={one.kind} className="panel todo-card">
            <div className="muted">{t(`exception.${one.kind}`, { defaultValue: one.kind })}</div>
            <div className="todo-money numeric">{format.moneyShort(one.value_cents)}</div>
            <div className="muted">{t("cockpit.lines", { count: one.lines })}</div>
            {opens("exceptions", may) && (
              <Link to={to}>
                <Button size="small" tabIndex={-1}>
                  {t(`todo.${one.action}`, { defaultValue: one.action })}
                </Button>
              </Link>
            )}
          </div>
        );
      })}
    </section>
  );
}
