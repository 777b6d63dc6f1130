/** All that happened to an order, in words: what, where, by whom, when. */
import { Timeline } from "antd";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/types";
import { useFormat } from "../../parts/format";

type Sale = Schemas["SaleTold"];
type Details = Record<string, unknown>;

export function SaleHistory({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  const format = useFormat();
  const about = (details: Details): string => {
    const { place, to, courier, reason, why, amount_cents: cents, outcome } = details;
    const told = [
      typeof place === "string" && (typeof to === "string" ? `${place} → ${to}` : place),
      courier,
      typeof cents === "number" && format.money(cents),
      outcome && outcome !== "taken" && t(`sale.outcome.${String(outcome)}`, { defaultValue: String(outcome) }),
      reason && t(`sale.reason.${String(reason)}`, { defaultValue: String(reason) }),
      why,
    ];
    return told.filter((one) => !!one).join(" · ");
  };
  return (
    <Timeline
      items={sale.timeline.map((event) => ({
        content: (
          <>
            <strong>{t(`sale.event.${event.kind}`, { defaultValue: event.kind })}</strong>{" "}
            {event.actor}
            <span className="muted"> {format.moment(event.at)}</span>
            {about(event.details) && <div>{about(event.details)}</div>}
          </>
        ),
      }))}
    />
  );
}
