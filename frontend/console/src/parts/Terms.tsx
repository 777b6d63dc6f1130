/** The arithmetic as a running sum: each term, what it adds or takes, and the total so far. */
import { useTranslation } from "react-i18next";
import type { Term } from "../api/types";
import { useFormat } from "./format";

export function Terms({ terms, quantity }: { terms: Term[]; quantity: number }) {
  const { t } = useTranslation();
  const format = useFormat();
  const most = Math.max(1, ...terms.flatMap((term) => [term.running, term.running - term.value]));
  const least = Math.min(0, ...terms.flatMap((term) => [term.running, term.running - term.value]));
  const at = (value: number) => `${((value - least) / (most - least)) * 100}%`;
  return (
    <table className="terms">
      <thead>
        <tr>
          <th scope="col">{t("terms.term")}</th>
          <th scope="col" className="numeric">
            {t("terms.value")}
          </th>
          <th scope="col" className="numeric">
            {t("terms.total")}
          </th>
          <th scope="col" aria-hidden="true" className="terms-bar-head" />
        </tr>
      </thead>
      <tbody>
        {terms.map((term) => {
          const low = Math.min(term.running, term.running - term.value);
          const high = Math.max(term.running, term.running - term.value);
          return (
            <tr key={term.name}>
              <td>{t(`term.${term.name}`, { defaultValue: term.words })}</td>
              <td className="numeric">
                {term.value > 0 ? "+" : ""}
                {format.quantity(term.value)}
              </td>
              <td className="numeric">{format.quantity(term.running)}</td>
              <td aria-hidden="true" className="terms-bar">
                <span
                  className={term.value < 0 ? "terms-less" : "terms-more"}
                  style={{ left: at(low), right: `calc(100% - ${at(high)})` }}
                />
              </td>
            </tr>
          );
        })}
      </tbody>
      <tfoot>
        <tr>
          <th scope="row">{t("terms.quantity")}</th>
          <td />
          <td className="numeric">
            <strong>{format.quantity(quantity)}</strong>
          </td>
          <td aria-hidden="true" />
        </tr>
      </tfoot>
    </table>
  );
}
