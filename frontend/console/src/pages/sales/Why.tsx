/** Why an order comes from where it does: terms that add up, and what came next. */
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/types";
import { useFormat } from "../../parts/format";
import { PlainTable } from "../../parts/PlainTable";
import { Terms } from "../../parts/Terms";

type Props = { why: Schemas["SaleWhy"]; place: string };

export function Why({ why, place }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  if (!why.parts.length) return <p>{t("why.named", { place })}</p>;
  const terms = why.terms.map(({ name, cents }, at) => ({
    name,
    words: name,
    value: cents,
    running: why.terms.slice(0, at + 1).reduce((sum, term) => sum + term.cents, 0),
  }));
  const choices = [
    { places: why.parts.map((part) => part.place), weighed_cents: why.weighed_cents },
    ...why.next,
  ];
  return (
    <>
      <p>
        {why.parts
          .map((part) =>
            t(part.courier ? "why.brought" : "why.fetched", {
              place: part.place,
              courier: part.courier,
              km: format.number(part.metres / 1000),
            }),
          )
          .join(" ")}
      </p>
      <Terms
        terms={terms}
        quantity={why.weighed_cents}
        show={format.money}
        value={t("sale.amount")}
        sum={t("why.weighed")}
      />
      <p className="muted">{t("why.paid", { money: format.money(why.cost_cents) })}</p>
      {why.next.length > 0 && (
        <PlainTable
          label={t("line.alternatives")}
          rows={choices}
          rowKey={(choice) => choice.places.join()}
          columns={[
            { name: "places", title: t("why.choice"), width: 200, show: (choice) => (
              <>
                {choice.places.join(" + ")}{" "}
                {choice === choices[0] && <span className="muted">{t("why.chosen")}</span>}
              </>
            ) },
            { name: "weighed", title: t("why.weighed"), width: 110, numeric: true, show: (choice) => format.money(choice.weighed_cents) },
            { name: "more", title: t("why.more"), width: 110, numeric: true, show: (choice) =>
              choice === choices[0] ? "–" : `+${format.money(choice.weighed_cents - why.weighed_cents)}` },
          ]}
        />
      )}
    </>
  );
}
