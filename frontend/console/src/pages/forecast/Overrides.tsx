/** A planner's word against the forecast: say it, withdraw it, see what it was worth. */
import type { TFunction } from "i18next";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, DatePicker, Form, Input, InputNumber, Modal, Popconfirm, Select, Tag } from "antd";
import type { Dayjs } from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { inWords, post, remove } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Asked } from "../../parts/Asked";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import type { Column } from "../../parts/PagedTable";
import { PlainTable } from "../../parts/PlainTable";

type Override = Schemas["OverrideRow"];

export function Overrides() {
  const { t } = useTranslation();
  const format = useFormat();
  const may = useMay();
  const [open, setOpen] = useState(false);
  const allowed = may("forecast.override");
  const columns: Column<Override>[] = [
    { name: "covers", title: t("override.covers"), width: 180, show: (row) => covered(row.covers, t) },
    { name: "says", title: t("override.says"), width: 100, show: (row) => row.says },
    { name: "days", title: t("override.days"), width: 180, show: (row) => `${format.date(row.first_day)} – ${format.date(row.last_day)}` },
    { name: "reason", title: t("col.reason"), width: 220, show: (row) => row.reason },
    { name: "author", title: t("override.author"), width: 100, show: (row) => row.author },
    { name: "state", title: t("col.status"), width: 100, show: (row) => <Tag>{t(`overrideState.${row.state}`, { defaultValue: row.state })}</Tag> },
    { name: "without", title: t("override.without"), width: 110, numeric: true, show: (row) => format.share(row.wape_without) },
    { name: "with", title: t("override.with"), width: 110, numeric: true, show: (row) => format.share(row.wape) },
    { name: "saved", title: t("override.saved"), width: 110, numeric: true, show: (row) => (row.series_days ? t("override.units", { value: format.number(row.units_saved) }) : t("override.notYet")) },
    { name: "withdraw", title: t("col.action"), width: 100, show: (row) => allowed && <Withdraw id={row.id} /> },
  ];
  return (
    <section className="panel">
      <p className="muted">{t("forecast.overridesAbout")}</p>
      {allowed && (
        <Button type="primary" onClick={() => setOpen(true)}>
          {t("override.add")}
        </Button>
      )}
      <Asked queryKey={["forecast", "overrides"]} path="/api/forecast/overrides">
        {({ rows }) => (
          <PlainTable<Override>
            label={t("forecast.overrides")}
            rows={rows}
            columns={columns}
            rowKey={(row) => row.id}
            empty={<Empty what={t("override.none")} todo={t("override.noneTodo")} />}
          />
        )}
      </Asked>
      <Modal open={open} onCancel={() => setOpen(false)} title={t("override.add")} footer={null} destroyOnHidden>
        <Add done={() => setOpen(false)} />
      </Modal>
    </section>
  );
}

function Withdraw({ id }: { id: string }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const cache = useQueryClient();
  const withdraw = useMutation({
    mutationFn: () => remove("/api/forecast/overrides/{id}", { path: { id } }),
    onSuccess: () => void cache.invalidateQueries({ queryKey: ["forecast", "overrides"] }),
    onError: (error) => void message.error(inWords(error), 8),
  });
  return (
    <Popconfirm title={t("override.sure")} onConfirm={() => withdraw.mutate()}>
      <Button size="small" loading={withdraw.isPending}>
        {t("override.withdraw")}
      </Button>
    </Popconfirm>
  );
}

type Entered = {
  sku?: string;
  how: "factor" | "units_per_day";
  amount: number;
  days: [Dayjs, Dayjs];
  reason: string;
};

function Add({ done }: { done: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const { shared } = useScope();
  const cache = useQueryClient();
  const add = useMutation({
    mutationFn: ({ sku, how, amount, days, reason }: Entered) =>
      post("/api/forecast/overrides", {
        body: {
          sku: sku || undefined,
          category: sku ? undefined : shared.category,
          place: shared.place,
          region: shared.place ? undefined : shared.region,
          [how]: amount,
          first_day: days[0].format("YYYY-MM-DD"),
          last_day: days[1].format("YYYY-MM-DD"),
          reason,
        },
      }),
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["forecast", "overrides"] });
      done();
    },
    onError: (error) => void message.error(inWords(error), 8),
  });
  const needed = [{ required: true, message: t("signIn.required") }];
  const where = [shared.region, shared.place, shared.category].filter(Boolean).join(" · ");
  return (
    <Form<Entered> layout="vertical" initialValues={{ how: "factor", amount: 1.2 }} onFinish={(entered) => add.mutate(entered)}>
      <p className="muted">{t("override.scope", { where: where || t("scope.everywhere") })}</p>
      <Form.Item name="sku" label={t("override.sku")}>
        <Input />
      </Form.Item>
      <Form.Item name="how" label={t("override.how")} rules={needed}>
        <Select options={["factor", "units_per_day"].map((one) => ({ value: one, label: t(`override.${one}`) }))} />
      </Form.Item>
      <Form.Item name="amount" label={t("override.amount")} rules={needed}>
        <InputNumber min={0} className="wide" />
      </Form.Item>
      <Form.Item name="days" label={t("override.days")} rules={needed}>
        <DatePicker.RangePicker className="wide" />
      </Form.Item>
      <Form.Item name="reason" label={t("deciding.reason")} rules={needed}>
        <Input.TextArea rows={2} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={add.isPending}>
        {t("override.add")}
      </Button>
    </Form>
  );
}

/** "sku S1, place P1" with the levels in the reader's language. */
function covered(covers: string, t: TFunction): string {
  if (covers === "everything") return t("override.everything");
  return covers
    .split(", ")
    .map((part) => {
      const [level, ...value] = part.split(" ");
      return `${t(`col.${level}`, { defaultValue: level })} ${value.join(" ")}`;
    })
    .join(" · ");
}
