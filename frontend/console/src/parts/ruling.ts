/** The rule that could approve a proposal without a person, in one sentence. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { AutoRule } from "../api/types";
import { useFormat } from "./format";

type Judged = { rule?: AutoRule | null; label: string; value_cents: number };

/**
 * "Rule “small lines” would approve this by itself up to ¥5,000; it is ¥7,200, ¥2,200 too much."
 * What the rule lacks is named: the class, the money, or both.
 */
export function useRuling(): (judged: Judged) => string {
  const { t } = useTranslation();
  const format = useFormat();
  return useCallback(
    ({ rule, label, value_cents }) => {
      if (!rule) return t("rule.none");
      const names = rule.classes.join(", ");
      const told = {
        rule: rule.name,
        classes: names ? t("rule.ofClasses", { names }) : t("rule.allClasses"),
        most: format.money(rule.max_value_cents),
        value: format.money(value_cents),
        over: format.money(rule.over_cents),
        label: label ? t("rule.ofClasses", { names: label }) : t("rule.noClass"),
      };
      if (rule.approves) return t("rule.approves", told);
      if (rule.fits_class) return t("rule.value", told);
      return t(rule.over_cents > 0 ? "rule.both" : "rule.class", told);
    },
    [t, format],
  );
}
