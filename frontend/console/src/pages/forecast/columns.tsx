/** The columns of the studio's tables. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { Schemas } from "../../api/types";
import { useFormat } from "../../parts/format";
import type { Column } from "../../parts/PagedTable";

/** What methods and groups are called. */
export function useNames() {
  const { t } = useTranslation();
  return useMemo(
    () => ({
      method: (name: string | null) =>
        name ? t(`method.${name}`, { defaultValue: name.replaceAll("_", " ") }) : "–",
      group: (name: string) =>
        t(`velocity.${name}`, { defaultValue: name || t("forecast.noGroup") }),
    }),
    [t],
  );
}

export function useScoreColumns(): Column<Schemas["Score"]>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const names = useNames();
  return useMemo(
    () => [
      { name: "group", title: t("col.group"), width: 140, show: (row) => names.group(row.group) },
      { name: "method", title: t("col.method"), width: 140, show: (row) => names.method(row.method) },
      { name: "series", title: t("col.series"), width: 90, numeric: true, show: (row) => format.quantity(row.series) },
      { name: "wape", title: t("col.wape"), width: 90, numeric: true, show: (row) => format.share(row.wape) },
      { name: "bias", title: t("col.bias"), width: 90, numeric: true, show: (row) => format.share(row.bias) },
      { name: "pinball", title: t("col.pinball"), width: 100, numeric: true, show: (row) => format.number(row.pinball) },
      { name: "coverage", title: t("col.coverage"), width: 110, numeric: true, show: (row) => format.share(row.coverage_90) },
      { name: "beaten_by", title: t("col.beaten_by"), width: 140, show: (row) => names.method(row.beaten_by) },
    ],
    [t, format, names],
  );
}

export function useLossColumns(): Column<Schemas["Loss"]>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const names = useNames();
  return useMemo(
    () => [
      { name: "group", title: t("col.group"), width: 180, show: (row) => (row.sku ? `${row.sku} · ${row.place}` : names.group(row.group)) },
      { name: "series", title: t("col.series"), width: 90, numeric: true, show: (row) => format.quantity(row.series) },
      { name: "loss", title: t("col.loss"), width: 120, numeric: true, show: (row) => format.money(row.loss_cents) },
      { name: "share", title: t("col.share"), width: 90, numeric: true, show: (row) => format.share(row.share) },
      { name: "too_much", title: t("col.too_much"), width: 120, numeric: true, show: (row) => format.money(row.too_much_cents) },
      { name: "too_little", title: t("col.too_little"), width: 120, numeric: true, show: (row) => format.money(row.too_little_cents) },
      { name: "wape", title: t("col.wape"), width: 90, numeric: true, show: (row) => format.share(row.wape) },
      { name: "better", title: t("col.better_method"), width: 140, show: (row) => names.method(row.better_method) },
      { name: "better_loss", title: t("col.better_loss"), width: 130, numeric: true, show: (row) => format.money(row.better_loss_cents) },
    ],
    [t, format, names],
  );
}
