/** One order opened: what can be done, lines, money, shipments, returns, why this place, history. */
import { useQuery } from "@tanstack/react-query";
import { Grid, Skeleton } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Failure } from "../../parts/Failure";
import { SideDrawer } from "../../parts/SideDrawer";
import { useFormat } from "../../parts/format";
import { Section } from "../../parts/LineDrawer";
import { PlainTable } from "../../parts/PlainTable";
import { MaskedRecipient } from "../../parts/Recipient";
import { SaleActions, ShowCode } from "./SaleActions";
import { SaleHistory } from "./SaleHistory";
import { SaleStanding } from "./standing";
import { Why } from "./Why";

type Sale = Schemas["SaleTold"];

export function SaleDrawer() {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const wide = Grid.useBreakpoint().md ?? true;
  const number = filters.sale;
  const { data, error, refetch } = useQuery({
    queryKey: ["sales", "one", number],
    queryFn: () => get("/api/sales/{number}", { path: { number: number ?? "" } }),
    enabled: !!number,
  });
  const told = data && String(data.number) === number ? data : undefined;
  return (
    <SideDrawer
      open={!!number}
      onClose={() => set({ sale: undefined })}
      size={wide ? 680 : "100%"}
      title={t("sales.one", { number })}
      extra={told && <SaleStanding state={told.state} />}
      footer={told?.deeds.length ? <SaleActions sale={told} /> : undefined}
      destroyOnHidden
    >
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!told && !error && <Skeleton active title={false} />}
      {told && (
        <div tabIndex={0} className="drawer-told">
          <Head sale={told} />
          {told.recipient && (
            <Section title={t("recipient.title")}>
              <MaskedRecipient
                key={told.id}
                masked={told.recipient}
                mayShow={told.may_show}
                show={() => get("/api/sales/{number}/recipient", { path: { number: told.number } })}
              />
            </Section>
          )}
          <Section title={t("sale.lines")}>
            <Lines sale={told} />
          </Section>
          <Section title={t("sale.money")}>
            <Money sale={told} />
          </Section>
          <Shipments sale={told} />
          <Returns sale={told} />
          <Section title={t("why.title")}>
            <Why why={told.why} place={told.place} />
          </Section>
          <Section title={t("line.history")}>
            <SaleHistory sale={told} />
          </Section>
        </div>
      )}
    </SideDrawer>
  );
}

function Head({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  const format = useFormat();
  const may = useMay();
  const member =
    sale.member && may("members.read") ? (
      <Link to={`/members?member=${encodeURIComponent(sale.member)}`}>{sale.member}</Link>
    ) : (
      (sale.member ?? "–")
    );
  const facts: [string, ReactNode][] = [
    [t("sales.channel"), t(`sale.channel.${sale.channel}`, { defaultValue: sale.channel })],
    [t("sales.method"), t(`sale.method.${sale.method}`, { defaultValue: sale.method })],
    [t("col.place"), sale.place],
    [t("sale.member"), member],
    [t("sale.placedAt"), format.moment(sale.placed_at)],
    [t("sale.ready"), format.moment(sale.ready_at)],
    [t("sale.promised"), format.moment(sale.arrives_at)],
    [t("sale.total"), format.money(sale.total_cents)],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Lines({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <PlainTable
      label={t("sale.lines")}
      rows={sale.lines}
      rowKey={(line) => String(line.line)}
      columns={[
        { name: "item", title: t("col.item"), width: 220, show: (line) => (
          <>
            {line.name} <span className="muted">{line.sku}</span>
            {line.instead_of !== null && (
              <div className="small">{t("sale.insteadOf", { line: line.instead_of + 1 })}</div>
            )}
            {Object.entries(line.custom).map(([name, value]) => (
              <div key={name} className="small">
                {name}: {value}
              </div>
            ))}
            {sale.parts
              .filter((part) => part.line === line.line)
              .map((part) => (
                <div key={`${part.place}/${part.sku}`} className="small muted">
                  {t(part.sku === line.sku ? "sale.from" : "sale.partFrom", {
                    place: part.place,
                    sku: part.sku,
                    units: format.quantity(part.quantity),
                  })}
                </div>
              ))}
          </>
        ) },
        { name: "quantity", title: t("sale.quantity"), width: 90, numeric: true, show: (line) => (
          <>
            {format.quantity(line.quantity)}
            {(["handed", "cancelled", "returned"] as const).map(
              (name) =>
                line[name] > 0 && (
                  <div key={name} className="small muted">
                    {t(`sale.units.${name}`, { units: format.quantity(line[name]) })}
                  </div>
                ),
            )}
          </>
        ) },
        { name: "price", title: t("col.price"), width: 100, numeric: true, show: (line) => format.money(line.price_cents) },
        { name: "amount", title: t("sale.amount"), width: 100, numeric: true, show: (line) => format.money(line.amount_cents) },
      ]}
    />
  );
}

/** The total, what was paid for it and what went back. */
function Money({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  const format = useFormat();
  const provider = (name: string) => t(`sale.provider.${name}`, { defaultValue: name });
  const rows: { name: string; cents: number; about?: string }[] = [
    { name: t("sale.goods"), cents: sale.goods_cents },
    { name: t("sale.delivery"), cents: sale.delivery_cents },
    { name: t("sale.total"), cents: sale.total_cents, about: sale.tax_cents === null ? "" : t("sale.taxIn", { tax: format.money(sale.tax_cents) }) },
    ...sale.payments.map((one) => ({
      name: t("sale.payment", { provider: provider(one.provider) }),
      cents: one.amount_cents,
      about: `${t(`sale.outcome.${one.outcome}`, { defaultValue: one.outcome })} · ${format.moment(one.paid_at)}`,
    })),
    ...sale.refunds.map((one) => ({
      name: t("sale.refund", { provider: provider(one.provider) }),
      cents: -one.amount_cents,
      about: one.done_at
        ? t("sale.refundDone", { at: format.moment(one.done_at) })
        : t("sale.refundAsked", { at: format.moment(one.asked_at) }),
    })),
  ];
  return (
    <PlainTable
      label={t("sale.money")}
      rows={rows}
      rowKey={(row) => `${row.name} ${row.about} ${row.cents}`}
      columns={[
        { name: "name", title: t("sale.what"), width: 200, show: (row) => row.name },
        { name: "about", title: t("col.status"), width: 240, show: (row) => row.about || "–" },
        { name: "cents", title: t("sale.amount"), width: 110, numeric: true, show: (row) => format.money(row.cents) },
      ]}
    />
  );
}

function Shipments({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!sale.shipments.length) return null;
  return (
    <Section title={t("sale.shipments")}>
      <PlainTable
        label={t("sale.shipments")}
        rows={sale.shipments}
        rowKey={(one) => one.id}
        columns={[
          { name: "number", title: t("col.number"), width: 70, numeric: true, show: (one) => one.number },
          { name: "place", title: t("col.place"), width: 90, show: (one) => one.place },
          { name: "state", title: t("col.status"), width: 130, show: (one) => (
            <>
              <SaleStanding state={one.state} />
              {one.couriers.map((asked) => (
                <div key={asked.attempt} className="small muted">
                  {asked.courier}: {t(`sale.courier.${asked.state}`, { defaultValue: asked.state })}
                </div>
              ))}
            </>
          ) },
          { name: "due", title: t("sale.pickBy"), width: 150, numeric: true, show: (one) => format.moment(one.due_at) },
          { name: "ended", title: t("sale.since"), width: 150, numeric: true, show: (one) => (
            <>
              {format.moment(one.closed_at ?? one.away_at ?? one.ready_at)}
              <ShowCode sale={sale} shipment={one} />
            </>
          ) },
        ]}
      />
    </Section>
  );
}

function Returns({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  const format = useFormat();
  const names = new Map(sale.lines.map((line) => [line.line, line.name]));
  if (!sale.returns.length) return null;
  return (
    <Section title={t("sale.returns")}>
      <PlainTable
        label={t("sale.returns")}
        rows={sale.returns}
        rowKey={(one) => one.id}
        columns={[
          { name: "number", title: t("col.number"), width: 70, numeric: true, show: (one) => one.number },
          { name: "what", title: t("col.item"), width: 220, show: (one) => (
            <>
              {one.lines.map((line) => `${names.get(line.line)} × ${line.units}`).join(", ")}
              <div className="small muted">{one.reason}</div>
            </>
          ) },
          { name: "state", title: t("col.status"), width: 110, show: (one) => <SaleStanding state={one.state} /> },
          { name: "place", title: t("col.place"), width: 90, show: (one) => one.place ?? t("sale.anyStore") },
          { name: "cents", title: t("sale.amount"), width: 100, numeric: true, show: (one) => (one.amount_cents ? format.money(one.amount_cents) : "–") },
        ]}
      />
    </Section>
  );
}
