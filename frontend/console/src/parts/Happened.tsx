/** What became of a decision that nobody can decide on any more, and when. */
import { Alert } from "antd";
import type { TFunction } from "i18next";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import type { DecisionRow, HistoryStep } from "../api/types";
import { useFormat } from "./format";

const DECIDED = new Set(["approved", "edited", "rejected"]);
const ENDED = new Set(["executing", "executed", "failed", "measured", "expired"]);

type Props = {
  decision: DecisionRow;
  history: HistoryStep[];
  orders: string[];
  /** A later decision on the same line. */
  newer?: number | null;
};

export function Happened({ decision, history, orders, newer }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  if (decision.deeds.includes("approve")) return null;
  const last = (among: Set<string>) => history.filter((step) => among.has(step.status)).at(-1);
  const steps = [last(DECIDED), last(ENDED)].filter((step) => step !== undefined);
  const told = steps.map((step) => inWords(step, orders, t, format));
  const waits = decision.status === "proposed" || decision.status === "snoozed";
  if (waits) told.push(t("happened.over", { at: format.moment(decision.valid_until) }));
  return (
    <Alert
      type={waits ? "warning" : "info"}
      showIcon
      className="happened"
      title={told.join(" ")}
      description={
        newer ? (
          <Link to={`/decisions?decision=${newer}`}>{t("happened.newer", { number: newer })}</Link>
        ) : undefined
      }
    />
  );
}

function inWords(
  step: HistoryStep,
  orders: string[],
  t: TFunction,
  format: ReturnType<typeof useFormat>,
): string {
  const told = {
    actor: step.actor,
    rule: step.actor,
    at: format.moment(step.at),
    reason: step.reason,
    quantity: format.quantity(step.value),
    orders: orders.join(", ") || t("happened.noOrder"),
  };
  if (step.cause === "rule" || step.cause === "replaced") return t(`happened.${step.cause}`, told);
  return t(`happened.${step.status}`, told);
}
