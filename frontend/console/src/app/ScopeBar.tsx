/** The scope: organisation > region > place, category, supplier, period and comparison. */
import { FilterOutlined } from "@ant-design/icons";
import { useQuery } from "@tanstack/react-query";
import { Button, Cascader, Grid, Select, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../api/client";
import type { Schemas } from "../api/types";
import { SideDrawer } from "../parts/SideDrawer";
import { useFormat } from "../parts/format";
import { useScope } from "./scope";

const PERIODS = ["7", "28", "91", "364"];
type ScopeChoices = Schemas["Scopes"];

export const useChoices = () =>
  useQuery({ queryKey: ["scope"], queryFn: () => get("/api/scope") });

export function ScopeBar() {
  const { t } = useTranslation();
  const format = useFormat();
  const wide = Grid.useBreakpoint().lg ?? true;
  const [open, setOpen] = useState(false);
  const { shared } = useScope();
  const { data } = useChoices();
  const count = Object.keys(shared).length;
  const stamp = data?.as_of && (
    <span className="as-of" title={t("scope.asOfMeaning")}>
      {t("scope.asOf", { day: format.date(data.as_of) })}
    </span>
  );
  if (wide)
    return (
      <div className="scope-bar">
        <Choices choices={data} />
        {stamp}
      </div>
    );
  return (
    <div className="scope-bar">
      <Button icon={<FilterOutlined />} onClick={() => setOpen(true)}>
        {t("scope.title")} {count > 0 && <Tag>{count}</Tag>}
      </Button>
      <SideDrawer
        open={open}
        onClose={() => setOpen(false)}
        placement="top"
        size="large"
        title={t("scope.title")}
      >
        <div className="scope-choices-tall">
          <Choices choices={data} />
          {stamp}
        </div>
      </SideDrawer>
    </div>
  );
}

function Choices({ choices }: { choices?: ScopeChoices }) {
  const { t } = useTranslation();
  const { shared, set } = useScope();
  const at = shared.place
    ? [choices?.regions.find((r) => r.places.some((p) => p.id === shared.place))?.id, shared.place]
    : [shared.region];
  return (
    <>
      <Cascader
        aria-label={t("scope.where")}
        className="scope-where"
        placeholder={t("scope.everywhere")}
        changeOnSelect
        allowClear
        showSearch
        expandTrigger="hover"
        value={at.filter((one): one is string => !!one)}
        options={(choices?.regions ?? []).map((region) => ({
          value: region.id,
          label: region.id || t("scope.noRegion"),
          children: region.places.map((place) => ({
            value: place.id,
            label: place.name ? `${place.name} (${place.id})` : place.id,
          })),
        }))}
        onChange={(chosen) =>
          set({ region: chosen?.[1] ? undefined : chosen?.[0], place: chosen?.[1] })
        }
      />
      <Select
        aria-label={t("scope.category")}
        className="scope-select"
        placeholder={t("scope.category")}
        allowClear
        showSearch
        value={shared.category}
        options={(choices?.categories ?? []).map((one) => ({ value: one, label: one }))}
        onChange={(category?: string) => set({ category })}
      />
      <Select
        aria-label={t("scope.supplier")}
        className="scope-select"
        placeholder={t("scope.supplier")}
        allowClear
        showSearch
        value={shared.supplier}
        options={(choices?.suppliers ?? []).map((one) => ({ value: one, label: one }))}
        onChange={(supplier?: string) => set({ supplier })}
      />
      <Select
        aria-label={t("scope.period")}
        className="scope-select"
        value={shared.period ?? "28"}
        options={PERIODS.map((days) => ({ value: days, label: t("scope.lastDays", { days }) }))}
        onChange={(days: string) => set({ period: days === "28" ? undefined : days })}
      />
      <Select
        aria-label={t("scope.compare")}
        className="scope-select"
        value={shared.compare ?? "before"}
        options={["before", "year"].map((one) => ({ value: one, label: t(`compare.${one}`) }))}
        onChange={(compare: string) => set({ compare: compare === "before" ? undefined : compare })}
      />
    </>
  );
}
