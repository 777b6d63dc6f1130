/**
 * A line opened up: reason, arithmetic, expected effect, limits, assumptions, alternatives, history.
 *
 * It is open while the address has `line=PLACE/SKU`, so that a link leads to it.
 */
import { useQuery } from "@tanstack/react-query";
import { Grid, Skeleton, Tag, Timeline } from "antd";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../api/client";
import { queries } from "../api/queries";
import type { AutoRule, DecisionRow, Explanation, HistoryStep, LineTold } from "../api/types";
import { useScope } from "../app/scope";
import { useMay } from "../app/session";
import { DecideBar } from "./DecideBar";
import { Failure } from "./Failure";
import { ForecastBand } from "./ForecastBand";
import { SideDrawer } from "./SideDrawer";
import { useFormat } from "./format";
import { Happened } from "./Happened";
import { useReason } from "./reason";
import { useRuling } from "./ruling";
import { isOver, Status } from "./Status";
import { Terms } from "./Terms";

export const lineName = (line: { place: string; sku: string }) => `${line.place}/${line.sku}`;

const lineOf = (name: string | undefined) => {
  const [place, ...rest] = (name ?? "").split("/");
  return {
    queryKey: ["line", name],
    queryFn: ({ signal }: { signal: AbortSignal }) =>
      get("/api/lines/{place}/{sku}", { path: { place: place ?? "", sku: rest.join("/") }, signal }),
  };
};

export const useLine = (name: string | undefined) =>
  useQuery({ ...lineOf(name), enabled: !!name });

/** Ask for a line that is about to be shown. */
export const bringLine = (name: string) => queries.prefetchQuery(lineOf(name));

export function LineDrawer() {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const wide = Grid.useBreakpoint().md ?? true;
  const { data, error, refetch } = useLine(filters.line);
  const close = () => set({ line: undefined });
  const told = data?.explanation;
  const decision = data?.decision;
  return (
    <SideDrawer
      open={!!filters.line}
      onClose={close}
      size={wide ? 620 : "100%"}
      title={told ? `${told.item_name ?? told.sku} · ${told.place}` : t("line.title")}
      extra={decision && <Status status={decision.status} over={isOver(decision)} />}
      footer={useFoot(decision, close)}
      destroyOnHidden
    >
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton active title={false} />}
      {data && <Told told={data} />}
    </SideDrawer>
  );
}

/** The foot of a drawer: what may still be made of a decision; none where that is nothing. */
export function useFoot(decision: DecisionRow | null | undefined, onDone: () => void): ReactNode {
  const may = useMay();
  if (!decision?.deeds.length || !may("decisions.decide")) return undefined;
  const { number, deeds, value } = decision;
  return <DecideBar numbers={[number]} deeds={deeds} quantity={value} onDone={onDone} />;
}

/** Which rule would approve a proposal without a person, or what it lacks. */
export function AutoApproval({ decision, rule }: { decision: DecisionRow; rule: AutoRule | null }) {
  const { t } = useTranslation();
  const ruling = useRuling();
  if (!decision.deeds.length) return null;
  return (
    <Section title={t("line.ruleTitle")}>
      <p className="ruling">{ruling({ ...decision, rule })}</p>
      {!rule && <p className="muted">{t("rule.noneTodo")}</p>}
    </Section>
  );
}

function Told({ told }: { told: LineTold }) {
  const { t } = useTranslation();
  const { explanation } = told;
  const reason = useReason();
  return (
    <div tabIndex={0} className="drawer-told">
      <p className="reason">{reason(explanation)}</p>
      {told.decision && (
        <Happened decision={told.decision} history={told.history} orders={told.orders} />
      )}
      <Facts told={told} />
      <Section title={t("line.series")}>
        {told.series ? (
          <ForecastBand series={told.series} height={200} />
        ) : (
          <p className="muted">{t("line.noForecast")}</p>
        )}
      </Section>
      <Explained explanation={explanation} />
      {told.decision && <AutoApproval decision={told.decision} rule={told.rule} />}
      <Section title={t("line.history")}>
        <History steps={told.history} />
      </Section>
    </div>
  );
}

/** The state the arithmetic started from. */
function Facts({ told: { line, explanation } }: { told: LineTold }) {
  const { t } = useTranslation();
  const format = useFormat();
  const facts: [string, string][] = [
    [t("col.sku"), explanation.sku],
    [t("col.label"), explanation.label || "–"],
    [t("col.on_hand"), format.quantity(line.on_hand)],
    [t("col.on_order"), format.quantity(line.on_order)],
    [t("col.cover_days"), format.days(line.cover_days)],
    [t("col.forecast_per_day"), format.perDay(line.forecast_per_day)],
    [t("col.lead_time_days"), format.days(line.lead_time_days)],
    [t("col.value"), format.money(explanation.value_cents)],
  ];
  return (
    <dl className="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd className="numeric">{value}</dd>
        </div>
      ))}
    </dl>
  );
}

/** What speaks for a quantity: terms, expected effect, limits, assumptions, alternatives. */
export function Explained({ explanation }: { explanation: Explanation }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { expected, limits, assumed, alternatives } = explanation;
  const limit = (name: string) => t(`limit.${name}`, { defaultValue: name });
  const assumption = (name: string) => t(`assumed.${name}`, { defaultValue: name });
  return (
    <>
      <Section title={t("line.arithmetic")}>
        <Terms terms={explanation.terms} quantity={explanation.quantity} />
      </Section>
      {expected && (
        <Section title={t("line.expected")}>
          <p>
            {t("line.expectedUnits", {
              value: format.number(expected.value),
              low: format.number(expected.low),
              high: format.number(expected.high),
            })}
          </p>
        </Section>
      )}
      <Listed title={t("line.limits")} rows={limits.map(limit)} />
      <Listed title={t("line.assumed")} rows={assumed.map(assumption)} />
      {alternatives.length > 0 && (
        <Section title={t("line.alternatives")}>
          <Alternatives rows={alternatives} />
        </Section>
      )}
      <p className="muted">{t("line.method", { method: explanation.method })}</p>
    </>
  );
}

function Alternatives({ rows }: { rows: Explanation["alternatives"] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const show = (name: string, value: unknown): string => {
    if (typeof value !== "number") return typeof value === "string" ? value : "–";
    if (name.endsWith("_cents")) return format.money(value);
    if (name.endsWith("_days")) return format.days(value);
    if (name.includes("fill") || name.includes("share")) return format.share(value);
    return format.number(value);
  };
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return (
    <table className="terms">
      <thead>
        <tr>
          {names.map((name) => (
            <th key={name} scope="col" className="numeric">
              {t(`alternative.${name}`, { defaultValue: name })}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map((row, at) => (
          <tr key={at}>
            {names.map((name) => (
              <td key={name} className="numeric">
                {show(name, row[name])}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

export function Section({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section className="drawer-section">
      <h2>{title}</h2>
      {children}
    </section>
  );
}

function Listed({ title, rows }: { title: string; rows: string[] }) {
  if (!rows.length) return null;
  return (
    <Section title={title}>
      {rows.map((row) => (
        <Tag key={row} className="wrap">
          {row}
        </Tag>
      ))}
    </Section>
  );
}

export function History({ steps }: { steps: HistoryStep[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!steps.length) return <p className="muted">{t("line.noHistory")}</p>;
  return (
    <Timeline
      items={steps.map((step) => ({
        content: (
          <>
            <Status status={step.status} /> {step.actor}
            <span className="muted"> {format.moment(step.at)}</span>
            {step.value !== null && step.value !== undefined && (
              <span> → {format.quantity(step.value)}</span>
            )}
            {step.cause ? (
              <div>{t(`cause.${step.cause}`)}</div>
            ) : (
              step.reason && <div>{step.reason}</div>
            )}
          </>
        ),
      }))}
    />
  );
}
