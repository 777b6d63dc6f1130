/** The map of promises: which part of the demand around each place could be there in time. */
import { Select } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { Asked } from "../../parts/Asked";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import { PageHead } from "../../parts/PageHead";
import { PlainTable } from "../../parts/PlainTable";
import { PromiseMap } from "./PromiseMap";

type Told = Schemas["PromisesTold"];
type Spot = Schemas["PromiseSpot"];
const HOURS = [9, 12, 15, 18, 21];

export default function Promises() {
  const { t } = useTranslation();
  const { filters, shared, set } = useScope();
  const { region, place, category } = shared;
  const query = useMemo(
    () => ({ region, place, category, hour: filters.hour }),
    [region, place, category, filters.hour],
  );
  return (
    <div className="page">
      <PageHead page="promises" />
      <div className="filters">
        <Select
          aria-label={t("promises.when")}
          className="hour-select"
          value={filters.hour ?? ""}
          options={[
            { value: "", label: t("promises.now") },
            ...HOURS.map((hour) => ({ value: String(hour), label: t("promises.hour", { hour }) })),
          ]}
          onChange={(hour: string) => set({ hour })}
        />
        <Select
          aria-label={t("promises.window")}
          className="wide-select"
          value={filters.within ?? "2"}
          options={["2", "24", "48"].map((hours) => ({ value: hours, label: t("promises.within", { hours }) }))}
          onChange={(within: string) => set({ within: within === "2" ? undefined : within })}
        />
      </div>
      <Asked
        queryKey={["promises", query]}
        path="/api/promises"
        query={query}
        none={<Empty what={t("promises.none")} todo={t("promises.noneTodo")} />}
      >
        {(told) => <Shown told={told} within={Number(filters.within ?? "2")} />}
      </Asked>
    </div>
  );
}

function Shown({ told, within }: { told: Told; within: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  const at = Math.max(0, told.hours.indexOf(within));
  if (!told.rows.length) return <Empty what={t("promises.noPlaces")} todo={t("promises.noPlacesTodo")} />;
  const about = [
    t("promises.at", { at: format.moment(told.at) }),
    t("promises.looked", { count: told.skus, share: format.share(told.looked_at) }),
    told.unplaced.length > 0 && t("promises.unplaced", { places: told.unplaced.join(", ") }),
  ];
  return (
    <>
      <dl className="facts">
        {told.hours.map((hours, number) => (
          <div key={hours}>
            <dt>{t("promises.within", { hours })}</dt>
            <dd className="numeric">{format.share(told.shares[number])}</dd>
          </div>
        ))}
        <div>
          <dt>{t("promises.demand")}</dt>
          <dd className="numeric">{format.perDay(told.per_day)}</dd>
        </div>
      </dl>
      <div className="panels">
        <section className="panel">
          <h2>{t("promises.map", { hours: told.hours[at] })}</h2>
          <PromiseMap rows={told.rows} at={at} hours={told.hours[at]!} onPick={(place) => set({ place })} />
          <p className="muted small">{t("promises.legend")}</p>
        </section>
        <section className="panel">
          <h2>{t("promises.table")}</h2>
          <Table rows={told.rows} hours={told.hours} />
        </section>
      </div>
      <p className="muted">{about.filter(Boolean).join(" ")}</p>
    </>
  );
}

function Table({ rows, hours }: { rows: Spot[]; hours: number[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const sorted = [...rows].sort((one, other) => (one.shares[0] ?? 1) - (other.shares[0] ?? 1));
  return (
    <PlainTable<Spot>
      label={t("promises.table")}
      rows={sorted}
      rowKey={(row) => row.place}
      columns={[
        { name: "place", title: t("col.place"), width: 180, show: (row) => <span title={row.name}>{row.place}</span> },
        { name: "per_day", title: t("promises.demand"), width: 90, numeric: true, show: (row) => format.perDay(row.per_day) },
        ...hours.map((hour, at) => ({
          name: `within${hour}`,
          title: t("promises.hours", { hours: hour }),
          width: 80,
          numeric: true,
          show: (row: Spot) => format.share(row.shares[at]),
        })),
        { name: "own", title: t("promises.own"), width: 110, numeric: true, show: (row) => format.share(row.own_share) },
        { name: "reach", title: t("promises.reach"), width: 90, numeric: true, show: (row) =>
          row.reach_metres[0] ? t("promises.km", { km: format.number(row.reach_metres[0] / 1000) }) : "–" },
      ]}
    />
  );
}
