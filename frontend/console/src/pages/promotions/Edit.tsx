/** A promotion's terms: offer, goods, days, to whom, and what limits it. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Button, Checkbox, DatePicker, Form, Input, InputNumber, Select } from "antd";
import dayjs, { type Dayjs } from "dayjs";
import { useTranslation } from "react-i18next";
import { Problem, put } from "../../api/client";
import { Failure } from "../../parts/Failure";
import { termsOf, type Promotion, type Terms } from "./Promotions";

const STAGES = ["price", "item", "bundle", "basket", "coupon", "postage"];
const KINDS = ["percent", "off", "fixed_price", "member_price", "buy_get", "gift", "free_postage"];
const USUAL_STAGE: Record<string, string> = { off: "basket", member_price: "price", fixed_price: "price", gift: "postage", free_postage: "postage" };
const MANY = { mode: "tags", open: false, suffixIcon: null } as const;

type Step = { from_cents: number; off_cents: number };
type Offer = Record<string, number | string | null | Step[]>;
type Entered = {
  id: string;
  name: string;
  kind: string;
  offer: Offer;
  stage: string;
  days: [Dayjs, Dayjs];
  categories: string[];
  skus: string[];
  brands: string[];
  tiers: string[];
  places: string[];
  channels: string[];
  coupon: boolean;
  minimum: number | null;
  cap: number | null;
  budget: number | null;
  per_member: number | null;
  priority: number;
  group: string;
};

type Field = keyof Entered | ["offer", string];
type Props = { promotion?: Promotion; done: (id: string) => void };

export function Edit({ promotion, done }: Props) {
  const { t } = useTranslation();
  const cache = useQueryClient();
  const [form] = Form.useForm<Entered>();
  const kind = Form.useWatch("kind", form) ?? "percent";
  const before = promotion && termsOf(promotion);
  const save = useMutation({
    mutationFn: (entered: Entered) =>
      put("/api/promotions/{promotion}", {
        path: { promotion: promotion?.id ?? entered.id.trim() },
        body: { terms: { ...before, ...written(entered, before) }, based_on: promotion?.version ?? null },
      }),
    onError: (error) => {
      const name = fieldOf(error, promotion?.id ?? form.getFieldValue("id"));
      if (name) form.setFields([{ name, errors: [error.message] }]);
    },
    onSuccess: ({ id }) => {
      void cache.invalidateQueries({ queryKey: ["promotions"] });
      done(id);
    },
  });
  const needed = [{ required: true, message: t("signIn.required") }];
  // A bundle's parts are kept in a file: what the form has no fields for stays as it is.
  const kinds = KINDS.includes(kind) ? KINDS : [...KINDS, kind];
  return (
    <Form<Entered>
      form={form}
      layout="vertical"
      initialValues={shown(promotion)}
      onFinish={(entered) => save.mutate(entered)}
      onValuesChange={(changed: Partial<Entered>) => {
        if (changed.kind) form.setFieldValue("stage", USUAL_STAGE[changed.kind] ?? "item");
      }}
    >
      {save.error && <Failure error={save.error} />}
      {!promotion && (
        <Form.Item name="id" label={t("promotions.id")} rules={needed}>
          <Input maxLength={64} />
        </Form.Item>
      )}
      <Form.Item name="name" label={t("col.name")} rules={needed}>
        <Input maxLength={200} />
      </Form.Item>
      <Form.Item name="kind" label={t("promotions.offer")} rules={needed}>
        <Select options={kinds.map((value) => ({ value, label: t(`promotions.kind.${value}`, { defaultValue: value }) }))} />
      </Form.Item>
      <OfferFields kind={kind} />
      <Form.Item name="days" label={t("promotions.days")} rules={needed}>
        <DatePicker.RangePicker className="wide" needConfirm={false} showTime={{ format: "HH:mm" }} format="YYYY-MM-DD HH:mm" />
      </Form.Item>
      {(["categories", "skus", "brands", "tiers", "places", "channels"] as const).map((name) => (
        <Form.Item key={name} name={name} label={t(`promotions.for.${name}`)}>
          <Select {...MANY} tokenSeparators={[","]} placeholder={t("promotions.all")} />
        </Form.Item>
      ))}
      <Form.Item name="coupon" valuePropName="checked">
        <Checkbox>{t("promotions.coupon")}</Checkbox>
      </Form.Item>
      {(["minimum", "cap", "budget"] as const).map((name) => (
        <Form.Item key={name} name={name} label={t(`promotions.limit.${name}`)}>
          <InputNumber min={0} precision={2} className="wide" />
        </Form.Item>
      ))}
      <Form.Item name="per_member" label={t("promotions.limit.per_member")}>
        <InputNumber min={1} precision={0} className="wide" />
      </Form.Item>
      <Form.Item name="stage" label={t("promotions.stage")} rules={needed}>
        <Select options={STAGES.map((value) => ({ value, label: t(`promotions.stages.${value}`) }))} />
      </Form.Item>
      <Form.Item name="priority" label={t("promotions.priority")} rules={needed}>
        <InputNumber precision={0} className="wide" />
      </Form.Item>
      <Form.Item name="group" label={t("promotions.group")}>
        <Input maxLength={64} />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={save.isPending}>
        {t("promotions.save")}
      </Button>
    </Form>
  );
}

/** What each kind of offer needs; money in the currency's unit, shares in percent. */
const FIELDS: Record<string, [name: string, least: number, precision: number, optional?: true][]> = {
  percent: [["rate", 0.01, 2]],
  off: [["from_cents", 0.01, 2], ["off_cents", 0.01, 2], ["times", 1, 0]],
  fixed_price: [["price_cents", 0, 2], ["pieces", 1, 0, true]],
  buy_get: [["buy", 1, 0], ["get", 1, 0], ["rate", 0.01, 2]],
  gift: [["units", 1, 0]],
  free_postage: [["most_cents", 0.01, 2, true]],
};

function OfferFields({ kind }: { kind: string }) {
  const { t } = useTranslation();
  const needed = [{ required: true, message: t("signIn.required") }];
  return (
    <>
      {kind === "gift" && (
        <Form.Item name={["offer", "sku"]} label={t("col.sku")} rules={needed}>
          <Input maxLength={64} />
        </Form.Item>
      )}
      {FIELDS[kind]?.map(([name, least, precision, optional]) => (
        <Form.Item key={name} name={["offer", name]} label={t(`promotions.offers.${name}`)} rules={optional ? [] : needed}>
          <InputNumber min={least} precision={precision} className="wide" />
        </Form.Item>
      ))}
    </>
  );
}

/**
 * The field that a refusal names, as `promotions/TEA-10/budget_cents` or `offer/percent/rate`.
 *
 * What is wrong with another promotion stands above the form alone, with its name.
 */
function fieldOf(error: Error, id: string): Field | undefined {
  const path = error instanceof Problem ? error.place.split("/") : [];
  if (path[0] === "promotions" && path[1] !== id) return undefined;
  const last = path.at(-1) ?? "";
  if (path.includes("steps")) return ["offer", "off_cents"];
  if (path.includes("offer")) return ["offer", last];
  if (last === "begins_at" || last === "ends_at") return "days";
  return NAMED.find((name) => name === last.replace(/_cents$/, ""));
}

const NAMED: (keyof Entered)[] = [
  ...(["name", "stage", "priority", "group", "minimum", "cap", "budget", "per_member"] as const),
  ...(["coupon", "tiers", "places", "channels", "categories", "skus", "brands"] as const),
];
const HUNDREDTHS = /_cents$|^rate$/;
const cents = (value: number | null | undefined) => (typeof value === "number" ? Math.round(value * 100) : null);
const whole = (value: unknown) => (typeof value === "number" ? value / 100 : null);

/** The terms as the server takes them. */
function written(entered: Entered, before: Terms | undefined): Record<string, unknown> {
  const was = before?.offer as (Offer & { kind: string; steps?: Step[] }) | undefined;
  const kept = was?.kind === entered.kind ? was : undefined;
  const { kind, offer, days, categories, skus, brands } = entered;
  const numbers = Object.fromEntries(
    Object.entries(offer ?? {}).map(([name, value]) => [
      name,
      HUNDREDTHS.test(name) && typeof value === "number" ? cents(value) : value,
    ]),
  );
  const { from_cents, off_cents, ...rest } = numbers;
  // Of several steps the form shows the first; the others stay.
  const steps = [{ from_cents, off_cents }, ...(kept?.steps?.slice(1) ?? [])];
  const told = kind === "off" ? { ...rest, steps } : numbers;
  return {
    name: entered.name,
    ...(FIELDS[kind] || kind === "member_price" ? { offer: { ...kept, kind, ...told } } : {}),
    stage: entered.stage,
    begins_at: days[0].toISOString(),
    ends_at: days[1].toISOString(),
    goods: { ...(before?.goods as object | undefined), categories, skus, brands },
    tiers: entered.tiers,
    places: entered.places,
    channels: entered.channels,
    coupon: entered.coupon,
    minimum_cents: cents(entered.minimum) ?? 0,
    cap_cents: cents(entered.cap),
    budget_cents: cents(entered.budget),
    per_member: entered.per_member,
    priority: entered.priority,
    group: entered.group ?? "",
  };
}

/** The terms as the form shows them. */
function shown(promotion: Promotion | undefined): Partial<Entered> {
  const empty = { categories: [], skus: [], brands: [], tiers: [], places: [], channels: [] };
  if (!promotion)
    return { ...empty, kind: "percent", stage: "item", coupon: false, priority: 0, offer: { times: 1 } };
  const terms = termsOf(promotion);
  const { kind, steps, ...given } = terms.offer as Record<string, unknown>;
  const first = (steps as Step[] | undefined)?.[0];
  const offer = Object.fromEntries(
    Object.entries({ ...given, ...first }).map(([name, value]) => [
      name,
      HUNDREDTHS.test(name) ? whole(value) : value,
    ]),
  ) as Offer;
  return {
    ...empty,
    ...(terms.goods as object),
    ...(terms as object),
    kind: kind as string,
    offer,
    days: [dayjs(terms.begins_at), dayjs(terms.ends_at)],
    minimum: terms.minimum_cents ? whole(terms.minimum_cents) : null,
    cap: whole(terms.cap_cents),
    budget: whole(terms.budget_cents),
  };
}
