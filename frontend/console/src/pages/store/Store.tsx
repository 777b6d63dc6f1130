/** Store today: what is to be done here, on a phone: tasks, deliveries, returns, counts. */
import { Segmented, Select } from "antd";
import { useTranslation } from "react-i18next";
import { useScope } from "../../app/scope";
import { useChoices } from "../../app/ScopeBar";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Counting } from "./Counting";
import { Deliveries } from "./Deliveries";
import { Returns } from "./Returns";
import { Tasks } from "./Tasks";

const TABS = {
  tasks: { action: "sales.read", View: Tasks },
  deliveries: { action: "orders.receive", View: Deliveries },
  returns: { action: "sales.pick", View: Returns },
  count: { action: "sales.pick", View: Counting },
};
type Tab = keyof typeof TABS;

export default function Store() {
  const { t } = useTranslation();
  const { filters, shared, set } = useScope();
  const may = useMay();
  const { data } = useChoices();
  const places = data?.regions.flatMap((region) => region.places) ?? [];
  const place = shared.place ?? (places.length === 1 ? places[0]!.id : undefined);
  const tabs = (Object.keys(TABS) as Tab[]).filter((tab) => may(TABS[tab].action));
  const tab = tabs.find((one) => one === filters.tab) ?? "tasks";
  const { View } = TABS[tab];
  return (
    <div className="page store">
      <header className="store-head">
        <h1>{t("page.store")}</h1>
        <Select
          aria-label={t("col.place")}
          placeholder={t("store.choose")}
          className="store-place"
          size="large"
          showSearch={{ optionFilterProp: "label" }}
          value={place}
          options={places.map((one) => ({ value: one.id, label: one.name ? `${one.name} (${one.id})` : one.id }))}
          onChange={(chosen: string) => set({ place: chosen, region: undefined })}
        />
      </header>
      {tabs.length > 1 && (
        <Segmented<Tab>
          block
          size="large"
          value={tab}
          options={tabs.map((one) => ({ value: one, label: t(`store.tab.${one}`) }))}
          onChange={(chosen) => set({ tab: chosen === "tasks" ? undefined : chosen, kind: undefined })}
        />
      )}
      {place ? (
        <View key={place} place={place} />
      ) : (
        <Empty what={t("store.choose")} todo={t("store.chooseTodo")} />
      )}
    </div>
  );
}
