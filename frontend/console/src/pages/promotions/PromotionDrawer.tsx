/** One promotion: what it says, what it would have done to past receipts, and what comes next. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Button, Form, Grid, Input, Modal, Skeleton, Space } from "antd";
import { useEffect, useState } from "react";
import { useTranslation } from "react-i18next";
import { get, post, Problem } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useLive } from "../../app/events";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { SideDrawer } from "../../parts/SideDrawer";
import { useCommand } from "../../parts/command";
import { Failure } from "../../parts/Failure";
import { useFormat } from "../../parts/format";
import { Section } from "../../parts/LineDrawer";
import { PlainTable } from "../../parts/PlainTable";
import { Edit } from "./Edit";
import { one as read, State, termsOf, useSentence, type Promotion } from "./Promotions";

type Weighing = Schemas["Weighing"];
const AFFECTS = ["promotions", "decisions"];

export function PromotionDrawer() {
  const { t } = useTranslation();
  const { filters, set } = useScope();
  const wide = Grid.useBreakpoint().md ?? true;
  const id = filters.promotion;
  const isNew = id === "new";
  const { data, error, refetch } = useQuery({
    queryKey: ["promotions", "one", id],
    queryFn: () => read(id ?? ""),
    enabled: !!id && !isNew,
  });
  const told = data && data.id === id ? data : undefined;
  const close = () => set({ promotion: undefined, edit: undefined });
  return (
    <SideDrawer
      open={!!id}
      onClose={close}
      size={wide ? 680 : "100%"}
      title={isNew ? t("promotions.new") : (told?.name ?? id)}
      extra={told && <State state={told.state} />}
      footer={told && !filters.edit ? <Next promotion={told} /> : undefined}
      destroyOnHidden
    >
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!told && !error && !isNew && <Skeleton active title={false} />}
      {isNew && <Edit done={(saved) => set({ promotion: saved })} />}
      {told && filters.edit && <Edit promotion={told} done={() => set({ edit: undefined })} />}
      {told && !filters.edit && <Told promotion={told} />}
    </SideDrawer>
  );
}

function Told({ promotion }: { promotion: Promotion }) {
  const { t } = useTranslation();
  const format = useFormat();
  const say = useSentence();
  const terms = termsOf(promotion);
  const facts: [string, string][] = [
    [t("promotions.from"), format.moment(terms.begins_at)],
    [t("promotions.until"), format.moment(terms.ends_at)],
    [t("promotions.stage"), t(`promotions.stages.${String(terms.stage)}`, { defaultValue: String(terms.stage) })],
    [t("promotions.priority"), format.quantity(Number(terms.priority))],
    [t("promotions.version"), promotion.published === null ? format.quantity(promotion.version) : t("promotions.versions", { version: promotion.version, published: promotion.published })],
    [t("promotions.savedBy"), `${promotion.saved_by} · ${format.moment(promotion.saved_at)}`],
    [t("promotions.left"), format.money(promotion.left_cents)],
  ];
  return (
    <div tabIndex={0} className="drawer-told">
      <p className="reason">{say(promotion)}</p>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Section title={t("promotions.evidence")}>
        <Evidence id={promotion.id} />
      </Section>
    </div>
  );
}

const useEvidence = (id: string) =>
  useQuery({
    queryKey: ["promotions", "evidence", id],
    queryFn: () => get("/api/promotions/{promotion}/evidence", { path: { promotion: id } }),
  });

function Evidence({ id }: { id: string }) {
  const { t } = useTranslation();
  const { data, error } = useEvidence(id);
  if (error instanceof Problem && error.status === 404)
    return <p className="muted">{t("promotions.notWeighed")}</p>;
  if (error) return <Failure error={error} />;
  if (!data) return <Skeleton active title={false} />;
  return "baskets" in data.evidence ? <Weighed told={data} /> : <p>{data.reason}</p>;
}

function Weighed({ told }: { told: Weighing }) {
  const { t } = useTranslation();
  const format = useFormat();
  const seen = told.evidence as Record<string, number | null>;
  const cents = (name: string) => format.money(seen[name]);
  const rows: [string, string][] = [
    ["baskets", format.quantity(seen.baskets)],
    ["reached", format.quantity(seen.reached)],
    ["discount", cents("discount_cents")],
    ["before", cents("margin_before_cents")],
    ["after", cents("margin_after_cents")],
    ["change", t("promotions.between", { change: format.money(told.change_cents), low: format.money(told.low_cents), high: format.money(told.high_cents) })],
    ["breakeven", seen.breakeven_share === null ? t("promotions.never") : format.share(seen.breakeven_share)],
    ["exposed", cents("exposed_cents")],
    ["displaced", cents("displaced_cents")],
    ["known", format.share(seen.cost_known_share)],
  ];
  return (
    <>
      <p>{told.reason}</p>
      <PlainTable
        label={t("promotions.evidence")}
        rows={rows}
        rowKey={([name]) => name}
        columns={[
          { name: "what", title: t("sale.what"), width: 340, show: ([name]) => t(`promotions.seen.${name}`) },
          { name: "value", title: t("promotions.seen.value"), width: 240, numeric: true, show: ([, value]) => value },
        ]}
      />
    </>
  );
}

/** What may be done with it next, by whom. */
function Next({ promotion }: { promotion: Promotion }) {
  const { t } = useTranslation();
  const may = useMay();
  const { set } = useScope();
  const [asked, setAsked] = useState<"publish" | "withdraw">();
  const job = useWeighing(promotion.id);
  const done = () => setAsked(undefined);
  const { data: weighed } = useEvidence(promotion.id);
  const path = { promotion: promotion.id };
  const publish = useCommand({
    run: ({ reason }: { reason: string }) =>
      post("/api/promotions/{promotion}/publish", { path, body: { decision: weighed?.decision ?? 0, reason } }),
    affects: AFFECTS,
    done,
  });
  const withdraw = useCommand({
    run: (body: { reason: string }) => post("/api/promotions/{promotion}/withdraw", { path, body }),
    affects: AFFECTS,
    done,
  });
  const waits = weighed?.status === "proposed";
  const holds = promotion.published === promotion.version;
  return (
    <Space wrap>
      {may("promotions.change") && (
        <>
          <Button onClick={() => set({ edit: "1" })}>{t("promotions.edit")}</Button>
          <Button type={waits || holds ? "default" : "primary"} loading={job.busy} onClick={job.start}>
            {t("promotions.weigh")}
          </Button>
        </>
      )}
      {may("promotions.publish") && waits && (
        <Button type="primary" onClick={() => setAsked("publish")}>
          {t("promotions.publish")}
        </Button>
      )}
      {may("promotions.publish") && promotion.published !== null && (
        <Button danger onClick={() => setAsked("withdraw")}>
          {t("promotions.withdraw")}
        </Button>
      )}
      {job.failed && <Failure error={new Error(job.failed)} />}
      <Modal open={!!asked} title={asked && t(`promotions.${asked}`)} onCancel={done} footer={null} destroyOnHidden>
        <Form<{ reason: string }>
          layout="vertical"
          onFinish={(entered) => (asked === "publish" ? publish : withdraw).mutate({ reason: entered.reason ?? "" })}
        >
          <p>{asked && t(`promotions.about.${asked}`)}</p>
          <Form.Item
            name="reason"
            label={t("deciding.reason")}
            rules={asked === "withdraw" ? [{ required: true, whitespace: true, message: t("deciding.reasonNeeded") }] : []}
          >
            <Input.TextArea rows={2} maxLength={2000} />
          </Form.Item>
          <Button type="primary" htmlType="submit" danger={asked === "withdraw"} loading={publish.isPending || withdraw.isPending}>
            {t("deciding.confirm")}
          </Button>
        </Form>
      </Modal>
    </Space>
  );
}

/** The job that weighs it on past receipts and proposes it. */
function useWeighing(promotion: string) {
  const cache = useQueryClient();
  const { jobs } = useLive();
  const [id, setId] = useState<string>();
  const start = useCommand({
    run: () => post("/api/promotions/{promotion}/propose", { path: { promotion } }),
    affects: [],
    done: (job) => setId(job.id),
  });
  const { data: asked } = useQuery({
    queryKey: ["jobs", id],
    queryFn: async () => (await get("/api/jobs")).rows.find((one) => one.id === id) ?? null,
    enabled: !!id,
    // The bell's events are quicker; this is for when the line to them was cut.
    refetchInterval: (query) => (isOver(query.state.data?.state) ? false : 1500),
  });
  const job = jobs.find((one) => one.id === id && isOver(one.state)) ?? asked;
  const over = isOver(job?.state);
  useEffect(() => {
    if (over) for (const key of AFFECTS) void cache.invalidateQueries({ queryKey: [key] });
  }, [over, cache]);
  return {
    start: () => start.mutate(null),
    busy: start.isPending || (!!id && !over),
    failed: job?.state === "failed" ? (job.error ?? "") : "",
  };
}

const isOver = (state: string | undefined) => state === "done" || state === "failed";
