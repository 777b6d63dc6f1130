/** Promotions: as sentences, over the weeks, and tried on a basket. */
import { Button, Select, Tabs } from "antd";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Asked } from "../../parts/Asked";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import { PageHead } from "../../parts/PageHead";
import { PlainTable } from "../../parts/PlainTable";
import { Standing, type Look } from "../../parts/Status";
import { Calendar } from "./Calendar";
import { PromotionDrawer } from "./PromotionDrawer";
import { Try } from "./Try";

export type Promotion = Schemas["PromotionTold"];
export type Terms = Record<string, unknown> & { begins_at: string; ends_at: string };
export const termsOf = (one: Promotion) => one.terms as Terms;
const STATES = ["draft", "published", "withdrawn"] as const;
const LOOKS: Record<string, Look> = { published: "good", withdrawn: "bad" };
const MOST = 200;

export default function Promotions() {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const may = useMay();
  const state = STATES.find((one) => one === filters.state);
  const views = [
    ["list", (rows: Promotion[]) => <List rows={rows} />],
    ["calendar", (rows: Promotion[]) => <Calendar rows={rows} />],
  ] as const;
  return (
    <div className="page">
      <PageHead page="promotions">
        {may("promotions.change") && (
          <Button type="primary" onClick={() => set({ promotion: "new" })}>
            {t("promotions.new")}
          </Button>
        )}
      </PageHead>
      <Tabs
        tabBarGutter={16}
        activeKey={filters.tab ?? "list"}
        onChange={(tab) => set({ tab: tab === "list" ? undefined : tab })}
        destroyOnHidden
        items={[
          ...views.map(([key, show]) => ({
            key,
            label: t(`promotions.${key}`),
            children: (
              <>
                <div className="filters">
                  <Select
                    aria-label={t("col.status")}
                    className="sales-select"
                    value={state ?? ""}
                    options={["", ...STATES].map((one) => ({ value: one, label: t(one ? `promotions.state.${one}` : "promotions.all") }))}
                    onChange={(chosen: string) => set({ state: chosen })}
                  />
                </div>
                <Asked queryKey={["promotions", state]} path="/api/promotions" query={{ state, limit: MOST }}>
                  {({ rows }) => show(rows)}
                </Asked>
              </>
            ),
          })),
          { key: "try", label: t("promotions.try"), children: <Try /> },
        ]}
      />
      <PromotionDrawer />
    </div>
  );
}

function List({ rows }: { rows: Promotion[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  const say = useSentence();
  return (
    <PlainTable<Promotion>
      label={t("page.promotions")}
      rows={rows}
      rowKey={(one) => one.id}
      empty={<Empty what={t("promotions.none")} todo={t("promotions.noneTodo")} />}
      columns={[
        { name: "name", title: t("col.name"), width: 240, show: (one) => (
          <>
            <button type="button" className="link" onClick={() => set({ promotion: one.id })}>
              {one.name}
            </button>
            <div className="small muted">{one.id}</div>
          </>
        ) },
        { name: "state", title: t("col.status"), width: 150, show: (one) => <State state={one.state} /> },
        { name: "gives", title: t("promotions.gives"), width: 480, show: say },
        { name: "from", title: t("promotions.from"), width: 190, numeric: true, show: (one) => format.moment(termsOf(one).begins_at) },
        { name: "until", title: t("promotions.until"), width: 190, numeric: true, show: (one) => format.moment(termsOf(one).ends_at) },
        { name: "left", title: t("promotions.left"), width: 140, numeric: true, show: (one) => format.money(one.left_cents) },
      ]}
    />
  );
}

/** What a promotion says, in the reader's language. */
export function useSentence() {
  const { i18n } = useTranslation();
  return (one: Promotion): string => one.sentences[i18n.language === "en" ? "en" : "zh-CN"] ?? "";
}

export function State({ state }: { state: string }) {
  const { t } = useTranslation();
  return <Standing look={LOOKS[state]}>{t(`promotions.state.${state}`, { defaultValue: state })}</Standing>;
}

/** Asked for when somebody points at the page's name. */
export const one = (promotion: string) => get("/api/promotions/{promotion}", { path: { promotion } });
