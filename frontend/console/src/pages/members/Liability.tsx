/** What members may still ask for: points by the month they end in, stored value, unused coupons. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/types";
import { useMay } from "../../app/session";
import { Asked } from "../../parts/Asked";
import { categoryAxis, legend, valueAxis } from "../../parts/axes";
import { Chart, type Colours } from "../../parts/Chart";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import { PlainTable } from "../../parts/PlainTable";

type Told = Schemas["LiabilityTold"];
type Month = Told["months"][number];

export function Liability() {
  const may = useMay();
  return (
    <Asked queryKey={["liability"]} path="/api/loyalty/liability">
      {(told) => (
        <>
          <Facts told={told} />
          <div className="panels">
            <Months months={told.months} />
            {may("promotions.read") && <Campaigns />}
          </div>
        </>
      )}
    </Asked>
  );
}

function Facts({ told }: { told: Told }) {
  const { t } = useTranslation();
  const format = useFormat();
  const facts: [string, string][] = [
    [t("liability.points"), format.quantity(told.points)],
    [t("liability.expected"), format.money(told.expected_cents)],
    [t("liability.owed"), format.quantity(told.owed_points)],
    [t("liability.paid"), format.money(told.stored_paid_cents)],
    [t("liability.given"), format.money(told.stored_given_cents)],
  ];
  return (
    <section className="panel">
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="numeric">{value}</dd>
          </div>
        ))}
      </dl>
      <p className="muted">{t("liability.about", { day: format.date(told.as_of) })}</p>
    </section>
  );
}

function Months({ months }: { months: Month[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const option = useCallback(
    (colours: Colours) => ({
      legend: legend(colours),
      tooltip: { trigger: "axis", valueFormatter: (value: number) => format.quantity(value) },
      xAxis: categoryAxis(colours, months.map((one) => one.month)),
      yAxis: valueAxis(colours, t("liability.unit"), (value) => format.quantity(value)),
      series: [
        { name: t("liability.spent"), type: "bar", stack: "all", barMaxWidth: 40, data: months.map((one) => one.expected_points) },
        { name: t("liability.lapses"), type: "bar", stack: "all", barMaxWidth: 40, data: months.map((one) => one.points - one.expected_points) },
      ],
    }),
    [months, t, format],
  );
  return (
    <section className="panel">
      <h2>{t("liability.months")}</h2>
      {months.length > 0 && <Chart label={t("liability.months")} option={option} height={240} />}
      <PlainTable<Month>
        label={t("liability.months")}
        rows={months}
        rowKey={(one) => one.month}
        empty={<Empty what={t("liability.none")} todo={t("liability.noneTodo")} />}
        columns={[
          { name: "month", title: t("liability.month"), width: 180, show: (one) => one.month },
          { name: "points", title: t("liability.outstanding"), width: 110, numeric: true, show: (one) => format.quantity(one.points) },
          { name: "expected", title: t("liability.spent"), width: 110, numeric: true, show: (one) => format.quantity(one.expected_points) },
          { name: "cents", title: t("liability.worth"), width: 110, numeric: true, show: (one) => format.money(one.expected_cents) },
        ]}
      />
    </section>
  );
}

function Campaigns() {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <section className="panel">
      <h2>{t("liability.coupons")}</h2>
      <Asked queryKey={["campaigns"]} path="/api/campaigns" query={{ limit: 50 }}>
        {({ rows }) => (
          <PlainTable
            label={t("liability.coupons")}
            rows={rows}
            rowKey={(one) => one.id}
            empty={<Empty what={t("liability.noCoupons")} todo={t("liability.noCouponsTodo")} />}
            columns={[
              { name: "name", title: t("liability.campaign"), width: 180, show: (one) => one.name },
              { name: "ends", title: t("members.ends"), width: 140, show: (one) => format.moment(one.ends_at) },
              { name: "issued", title: t("liability.issued"), width: 80, numeric: true, show: (one) => format.quantity(one.issued) },
              { name: "used", title: t("liability.used"), width: 80, numeric: true, show: (one) => format.quantity(one.used) },
              { name: "open", title: t("liability.open"), width: 80, numeric: true, show: (one) => format.quantity(one.issued - one.used) },
            ]}
          />
        )}
      </Asked>
    </section>
  );
}
