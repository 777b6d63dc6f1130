/** The arithmetic as a running sum: each term, what it adds or takes, and the total so far. */
import { useTranslation } from "react-i18next";
import type { Term } from "../api/types";
import { useFormat } from "./format";

type Props = {
  terms: Term[];
  quantity: number;
  /** How a value is written, default as a quantity. */
  show?: (value: number) => string;
  /** What a value and the sum are called, default the quantity. */
  value?: string;
  sum?: string;
};

export function Terms({ terms, quantity, show, value, sum }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const say = show ?? format.quantity;
  const most = Math.max(1, ...terms.flatMap((term) => [term.running, term.running - term.value]));
  const least = Math.min(0, ...terms.flatMap((term) => [term.running, term.running - term.value]));
  const at = (value: number) => `${((value - least) / (most - least)) * 100}%`;
  return (
    <table className="terms">
      <thead>
        <tr>
          <th scope="col">{t("terms.term")}</th>
          <th scope="col" className="numeric">
            {value ?? t("terms.value")}
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
                {say(term.value)}
              </td>
              <td className="numeric">{say(term.running)}</td>
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
          <th scope="row">{sum ?? t("terms.quantity")}</th>
          <td />
          <td className="numeric">
            <strong>{say(quantity)}</strong>
          </td>
          <td aria-hidden="true" />
        </tr>
      </tfoot>
    </table>
  );
}
