/** The order policy as it stands: its numbers and rules, and where they are changed. */
import { useTranslation } from "react-i18next";
import type { Got } from "../../api/client";
import { Asked } from "../../parts/Asked";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import type { Column } from "../../parts/PagedTable";
import { PlainTable } from "../../parts/PlainTable";

type Told = Got<"/api/policy">;
type Setting = Told["settings"][number];
type Rule = Told["rules"][number];

export function Policy() {
  const { t } = useTranslation();
  const settings = useSettings();
  const rules = useRules();
  return (
    <Asked queryKey={["policy"]} path="/api/policy">
      {(told) => (
        <>
          <section className="panel">
            <p className="muted">
              {told.file ? t("policy.file", { file: told.file }) : t("policy.shipped")}
            </p>
            <PlainTable<Setting>
              label={t("admin.policy")}
              rows={told.settings}
              columns={settings}
              rowKey={(row) => row.name}
            />
          </section>
          <section className="panel">
            <h2>{t("policy.rules")}</h2>
            <PlainTable<Rule>
              label={t("policy.rules")}
              rows={told.rules}
              columns={rules}
              rowKey={(row) => row.name}
              empty={<Empty what={t("rule.none")} todo={t("rule.noneTodo")} />}
            />
          </section>
        </>
      )}
    </Asked>
  );
}

function useSettings(): Column<Setting>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const say = (value: number | null, unit: string): string => {
    if (value === null) return t("policy.unset");
    if (unit === "share") return format.share(value);
    if (unit === "days") return format.days(value);
    if (unit === "cents") return format.money(value);
    return format.number(value);
  };
  return [
    { name: "setting", title: t("policy.setting"), width: 340, show: (row) => t(`setting.${row.name.replace(".", "_")}`, { defaultValue: row.name }) },
    { name: "value", title: t("policy.value"), width: 120, numeric: true, show: (row) => say(row.value, row.unit) },
    { name: "exceptions", title: t("policy.exceptions"), width: 320, show: (row) =>
      Object.entries(row.exceptions)
        .map(([name, value]) => `${name}: ${say(value, row.unit)}`)
        .join(" · ") || "–" },
    { name: "key", title: t("policy.key"), width: 320, show: (row) => <code>{row.name}</code> },
  ];
}

function useRules(): Column<Rule>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return [
    { name: "name", title: t("col.name"), width: 320, show: (row) => row.name },
    { name: "kind", title: t("col.kind"), width: 160, show: (row) => t(`decisionKind.${row.kind}`, { defaultValue: row.kind }) },
    { name: "classes", title: t("policy.classes"), width: 240, show: (row) => row.classes.join(", ") || t("rule.allClasses") },
    { name: "most", title: t("policy.most"), width: 160, numeric: true, show: (row) => format.money(row.max_value_cents) },
  ];
}
