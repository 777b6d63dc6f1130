/** What is picked in place of an SKU that is not there, where the shopper takes something like it. */
import { useQuery } from "@tanstack/react-query";
import { Button, Select } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { Failure } from "../../parts/Failure";
import { useFormat } from "../../parts/format";
import { Units } from "../../parts/Units";

export type Swap = Schemas["InsteadEntered"];
type Props = {
  task: string;
  sku: string;
  missing: number;
  value: Swap | undefined;
  onChange: (swap: Swap | undefined) => void;
};

export function Instead({ task, sku, missing, value, onChange }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const [asked, setAsked] = useState(false);
  const { data, error } = useQuery({
    queryKey: ["store", "choices", task, sku],
    queryFn: () => get("/api/store/tasks/{task}/choices", { path: { task }, query: { sku } }),
    enabled: asked,
  });
  if (error) return <Failure error={error} />;
  if (!asked || !data)
    return (
      <Button type="link" className="instead" loading={asked} onClick={() => setAsked(true)}>
        {t("instead.ask")}
      </Button>
    );
  if (!data.wanted) return <p className="muted small">{t("instead.unwanted")}</p>;
  if (!data.rows.length) return <p className="muted small">{t("instead.none")}</p>;
  const there = data.rows.find((one) => one.sku === value?.sku)?.available;
  return (
    <div className="instead">
      <Select
        aria-label={t("instead.ask")}
        placeholder={t("instead.ask")}
        size="large"
        allowClear
        value={value?.sku}
        options={data.rows.map((one) => ({
          value: one.sku,
          label: t("instead.choice", {
            name: one.name,
            price: format.money(one.price_cents),
            units: format.quantity(one.available),
          }),
        }))}
        onChange={(chosen?: string) =>
          onChange(chosen ? { sku: chosen, quantity: missing } : undefined)
        }
      />
      {value && (
        <Units
          label={value.sku}
          value={value.quantity}
          most={there}
          onChange={(quantity) => onChange({ ...value, quantity: Math.max(1, quantity) })}
        />
      )}
      <p className="muted small">{t("instead.price")}</p>
    </div>
  );
}
