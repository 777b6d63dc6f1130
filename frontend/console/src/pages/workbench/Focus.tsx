/** The row in focus: its sales, forecast and band, above the grid. */
import { Button, Skeleton } from "antd";
import { useDeferredValue } from "react";
import { useTranslation } from "react-i18next";
import { useScope } from "../../app/scope";
import { ForecastBand } from "../../parts/ForecastBand";
import { useReason } from "../../parts/reason";
import { useRuling } from "../../parts/ruling";
import { useLine } from "../../parts/LineDrawer";

export function Focus({ name }: { name: string | undefined }) {
  const { t } = useTranslation();
  const { set } = useScope();
  const reason = useReason();
  const ruling = useRuling();
  const { data, error } = useLine(useDeferredValue(name));
  if (!name || error) return null;
  if (!data) return <Skeleton.Node active className="focus" />;
  const { explanation, series, decision, rule } = data;
  return (
    <section className="focus panel" aria-label={t("workbench.focus")}>
      <div className="focus-head">
        <strong>
          {explanation.item_name ?? explanation.sku} · {explanation.place}
        </strong>
        <span className="focus-reason">{reason(explanation)}</span>
        <Button size="small" onClick={() => set({ line: name })}>
          {t("workbench.open")}
        </Button>
      </div>
      {decision && decision.deeds.length > 0 && (
        <p className="focus-rule muted">{ruling({ ...decision, rule })}</p>
      )}
      {series ? (
        <ForecastBand series={series} height={150} />
      ) : (
        <p className="muted">{t("line.noForecast")}</p>
      )}
    </section>
  );
}
