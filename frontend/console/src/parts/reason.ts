/** Why a line orders what it orders, in the reader's language. */
import { useCallback } from "react";
import { useTranslation } from "react-i18next";
import type { Term } from "../api/types";
import { useFormat } from "./format";

type Told = { reason: string; quantity: number; terms: Term[] };

/**
 * The server's sentence where English is read and it came along; else one made of the terms, which add up to the
 * quantity: "订货 76：预期需求 73 + 安全库存 56 − 现有库存 55 + 整箱取整 2".
 */
export function useReason(): (told: Told) => string {
  const { t, i18n } = useTranslation();
  const format = useFormat();
  return useCallback(
    ({ reason, quantity, terms }) => {
      if ((i18n.language === "en" && reason) || !terms.length) return reason;
      const sum = terms
        .filter((term) => term.value !== 0)
        .map((term, at) => {
          const sign = term.value < 0 ? "− " : at > 0 ? "+ " : "";
          const words = t(`part.${term.name}`, { defaultValue: term.name });
          return `${sign}${words} ${format.quantity(Math.abs(term.value))}`;
        })
        .join(" ");
      if (quantity === 0) return t("part.none", { sum });
      return t("part.order", { quantity: format.quantity(quantity), sum });
    },
    [t, i18n.language, format],
  );
}
