/** "Why not?": a basket priced as a channel would price it, and the rule of all that doesn't count. */
import { useMutation } from "@tanstack/react-query";
import { Button, DatePicker, Form, Input, InputNumber, Select, Space } from "antd";
import type { Dayjs } from "dayjs";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { useSession } from "../../app/session";
import { Failure } from "../../parts/Failure";
import { useFormat } from "../../parts/format";
import { PlainTable } from "../../parts/PlainTable";

type Quoted = Schemas["Quoted"];
type Line = { sku: string; quantity: number };
type Entered = {
  channel: string;
  place: string;
  member?: string;
  coupons?: string[];
  at?: Dayjs | null;
  lines: Line[];
};
const CHANNELS = ["miniprogram", "app", "web", "livestream", "till"];

export function Try() {
  const { t } = useTranslation();
  const { filters } = useScope();
  const { data: session } = useSession();
  const needed = [{ required: true, message: t("signIn.required") }];
  const trying = useMutation({
    mutationFn: ({ place, member, coupons, at, ...entered }: Entered) =>
      post("/api/promotion-trials", {
        body: {
          at: at?.toISOString() ?? null,
          basket: {
            ...entered,
            currency: session?.currency ?? "CNY",
            delivery: { method: "pickup", place },
            member: member || null,
            coupons: coupons ?? [],
            points: 0,
            stored_cents: 0,
            substitutes: false,
          },
        },
      }),
  });
  return (
    <div className="panels">
      <section className="panel">
        <h2>{t("promotions.basket")}</h2>
        <Form<Entered>
          layout="vertical"
          initialValues={{ channel: "miniprogram", place: filters.place, lines: [{ quantity: 1 }] }}
          onFinish={(entered) => trying.mutate(entered)}
        >
          <Form.Item name="channel" label={t("sales.channel")} rules={needed}>
            <Select options={CHANNELS.map((value) => ({ value, label: t(`sale.channel.${value}`, { defaultValue: value }) }))} />
          </Form.Item>
          <Form.Item name="place" label={t("promotions.pickUpAt")} rules={needed}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="member" label={t("members.code")}>
            <Input maxLength={64} />
          </Form.Item>
          <Form.Item name="coupons" label={t("promotions.codes")}>
            <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[" ", ","]} />
          </Form.Item>
          <Form.Item name="at" label={t("promotions.at")}>
            <DatePicker className="wide" needConfirm={false} showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" placeholder={t("promotions.now")} />
          </Form.Item>
          <Form.List name="lines">
            {(fields, { add, remove }) => (
              <>
                {fields.map((field) => (
                  <Space key={field.key} align="baseline" wrap>
                    <Form.Item name={[field.name, "sku"]} label={t("col.sku")} rules={needed}>
                      <Input maxLength={64} />
                    </Form.Item>
                    <Form.Item name={[field.name, "quantity"]} label={t("sale.quantity")} rules={needed}>
                      <InputNumber min={1} max={1_000_000} precision={0} />
                    </Form.Item>
                    {fields.length > 1 && (
                      <Button onClick={() => remove(field.name)}>{t("promotions.dropLine")}</Button>
                    )}
                  </Space>
                ))}
                <Button block onClick={() => add({ quantity: 1 })}>
                  {t("promotions.addLine")}
                </Button>
              </>
            )}
          </Form.List>
          <Button type="primary" htmlType="submit" className="after" loading={trying.isPending}>
            {t("promotions.price")}
          </Button>
        </Form>
      </section>
      <section className="panel" aria-live="polite">
        <h2>{t("promotions.comesTo")}</h2>
        {trying.error && <Failure error={trying.error} />}
        {trying.data ? <Priced quoted={trying.data} /> : !trying.error && <p className="muted">{t("promotions.tryTodo")}</p>}
      </section>
    </div>
  );
}

/** Each line as arithmetic that adds up, then what doesn't count and why. */
function Priced({ quoted }: { quoted: Quoted }) {
  const { t } = useTranslation();
  const format = useFormat();
  const rows = [
    ...quoted.lines.flatMap((line) => [
      {
        key: `${line.line}`,
        what: `${line.name} × ${format.quantity(line.quantity)}`,
        cents: line.amount_cents + line.discounts.reduce((sum, one) => sum + one.cents, 0),
      },
      ...line.discounts.map((one) => ({
        key: `${line.line}/${one.promotion}`,
        what: one.coupon ? `${one.promotion} (${one.coupon})` : one.promotion,
        cents: -one.cents,
      })),
    ]),
    { key: "delivery", what: t("sale.delivery"), cents: quoted.delivery_cents },
  ];
  return (
    <>
      <div className="scrolled" tabIndex={0} role="region" aria-label={t("promotions.comesTo")}>
        <table className="terms">
          <tbody>
            {rows.map((row) => (
              <tr key={row.key}>
                <th scope="row">{row.what}</th>
                <td className="numeric">{format.money(row.cents)}</td>
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{t("sale.total")}</th>
              <td className="numeric">
                <strong>{format.money(quoted.total_cents)}</strong>
              </td>
            </tr>
          </tfoot>
        </table>
      </div>
      <h3>{t("promotions.whyNot")}</h3>
      <PlainTable
        label={t("promotions.whyNot")}
        rows={quoted.refused}
        rowKey={(one) => `${one.promotion} ${one.coupon}`}
        empty={<p className="muted">{t("promotions.allCount")}</p>}
        columns={[
          { name: "what", title: t("promotions.offer"), width: 160, show: (one) => one.promotion || one.coupon },
          { name: "why", title: t("col.reason"), width: 360, show: (one) => <Why one={one} /> },
        ]}
      />
    </>
  );
}

function Why({ one }: { one: Quoted["refused"][number] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const inCents = one.why === "minimum_cents" || one.why === "budget";
  const amount = (value: number) => (inCents ? format.money(value) : format.quantity(value));
  const told = {
    defaultValue: one.sentence,
    has: amount(one.has),
    needs: amount(one.needs),
    missing: amount(one.needs - one.has),
    by: one.by.join(", "),
    of: one.only.join(", "),
    when: format.moment(one.when || null),
  };
  if (!one.promotion) return t(`members.lack.${one.why}`, told);
  return t(`uncounted.${one.why}`, told);
}
