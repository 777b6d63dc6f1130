/** The cockpit: what to do now, how the figures stand against target and before, where it lies. */
import { useQuery } from "@tanstack/react-query";
import { Button, Spin } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { get } from "../../api/client";
import type { Cockpit as Told } from "../../api/types";
import { addressOf, useScope } from "../../app/scope";
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
  const { data, error, refetch } = useQuery<Told>({
    queryKey: ["cockpit", shared],
    queryFn: ({ signal }) => get("/api/cockpit", { query: shared, signal }),
    placeholderData: (before) => before,
  });
  return (
    <div className="page">
      <PageHead page="cockpit" />
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Spin className="page-wait" />}
      {data && !data.as_of && <Empty what={t("cockpit.none")} todo={t("cockpit.noneTodo")} />}
      {data?.as_of && <Shown told={data} />}
    </div>
  );
}

function Shown({ told }: { told: Told }) {
  const { t } = useTranslation();
  return (
    <>
      <Todo todo={told.todo} />
      <Tiles tiles={told.tiles} />
      <div className="panels">
        <section className="panel">
          <h2>{t("cockpit.days")}</h2>
          <InventoryDays days={told.days} />
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
  if (!todo.length) return <section className="panel muted">{t("cockpit.nothingToDo")}</section>;
  return (
    <section className="todo" aria-label={t("cockpit.todo")}>
      {todo.map((one) => {
        const to =
          one.kind === "proposed" || one.kind === "proposals"
            ? addressOf("/workbench", shared)
            : addressOf("/exceptions", shared, { kind: one.kind });
        return (
          <div key={one.kind} className="panel todo-card">
            <div className="muted">{t(`exception.${one.kind}`, { defaultValue: one.kind })}</div>
            <div className="todo-money numeric">{format.moneyShort(one.value_cents)}</div>
            <div className="muted">{t("cockpit.lines", { count: one.lines })}</div>
            <Link to={to}>
              <Button size="small" tabIndex={-1}>
                {t(`todo.${one.action}`, { defaultValue: one.action })}
              </Button>
            </Link>
          </div>
        );
      })}
    </section>
  );
}
