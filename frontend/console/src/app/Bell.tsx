/** The bell: running jobs with their progress, and what changed since this page was opened. */
import { BellOutlined } from "@ant-design/icons";
import { Badge, Button, Popover, Progress } from "antd";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { useFormat } from "../parts/format";
import { useLive, type News } from "./events";
import { addressOf, useScope } from "./scope";

export function Bell() {
  const { t } = useTranslation();
  const live = useLive();
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      onOpenChange={(open) => open && live.read()}
      content={<Listed />}
      title={t("bell.title")}
    >
      <Badge count={live.unread} size="small" offset={[-6, 6]}>
        <Button type="text" icon={<BellOutlined />} aria-label={t("bell.title")} />
      </Badge>
    </Popover>
  );
}

function Listed() {
  const { t } = useTranslation();
  const { jobs, news } = useLive();
  const running = jobs.filter((job) => job.state === "running");
  if (!running.length && !news.length) return <p className="muted">{t("bell.none")}</p>;
  return (
    <ul className="bell-list">
      {running.map((job) => (
        <li key={`job${job.id}`}>
          {job.what} <span className="muted">{job.step}</span>
          <Progress
            aria-label={job.what}
            percent={job.total ? Math.round((100 * job.done) / job.total) : 0}
            size="small"
          />
        </li>
      ))}
      {news.map((one) => (
        <NewsLine key={one.id} one={one} />
      ))}
    </ul>
  );
}

function NewsLine({ one }: { one: News }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { shared } = useScope();
  const { told } = one;
  const said = {
    plan: () => t("bell.plan", { day: format.date(told.as_of) }),
    job: () => t("bell.job", { what: told.what, state: t(`state.${told.state}`) }),
    decisions: () =>
      t("bell.decisions", {
        count: told.changed?.length ?? 0,
        by: told.by,
        status: t(`status.${told.status}`),
      }),
  }[one.kind]();
  const page = { plan: "/workbench", job: "/imports", decisions: "/decisions" }[one.kind];
  return (
    <li>
      <Link to={addressOf(page, shared)}>{said}</Link>
      <span className="muted"> {format.moment(one.at)}</span>
    </li>
  );
}
