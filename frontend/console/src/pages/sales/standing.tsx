/** Where an order, a shipment or a return stands, in words and a colour that repeats them. */
import { useTranslation } from "react-i18next";
import { Standing, type Look } from "../../parts/Status";

export const STATES = ["placed", "paid", "complete", "cancelled", "expired"];

const LOOKS: Record<string, Look> = {
  paid: "note",
  complete: "good",
  expired: "warn",
  picking: "note",
  ready: "note",
  away: "note",
  handed: "good",
  delivered: "good",
  returned: "warn",
  released: "warn",
  asked: "note",
  received: "note",
  inspected: "good",
};

export function SaleStanding({ state }: { state: string }) {
  const { t } = useTranslation();
  return <Standing look={LOOKS[state]}>{t(`sale.state.${state}`, { defaultValue: state })}</Standing>;
}
