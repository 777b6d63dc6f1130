/** One member: tier and the way to the next, points by their last day, coupons, what happened. */
import { useInfiniteQuery } from "@tanstack/react-query";
import { Button, Segmented, Skeleton, Tag } from "antd";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { useFormat } from "../../parts/format";
import { PlainTable } from "../../parts/PlainTable";
import { Adjust } from "./Adjust";
import { Coupons } from "./Coupons";

type Had = Schemas["MemberPoints"];
type Line = Schemas["PointsLine"];
const SHOWN = 50;

export function Member({ code }: { code: string }) {
  const { filters } = useScope();
  const of = filters.of === "stored" ? "stored" : "points";
  const asked = useInfiniteQuery({
    queryKey: ["members", code, "had", of],
    queryFn: ({ pageParam, signal }) =>
      get("/api/members/{code}/points", {
        path: { code },
        query: { of, limit: SHOWN, before: pageParam },
        signal,
      }),
    initialPageParam: undefined as number | undefined,
    getNextPageParam: (last) => last.history.next ?? undefined,
    placeholderData: (before) => before,
  });
  const had = asked.data?.pages[0];
  if (asked.error) return <Failure error={asked.error} retry={() => void asked.refetch()} />;
  if (!asked.data || !had) return <Skeleton active title={false} />;
  const lines = asked.data.pages.flatMap((page) => page.history.lines);
  return (
    <>
      <Facts had={had} />
      <div className="panels">
        <Lots had={had} />
        <Coupons code={code} />
      </div>
      <History
        of={of}
        lines={lines}
        more={asked.hasNextPage ? () => void asked.fetchNextPage() : undefined}
        busy={asked.isFetchingNextPage}
      />
    </>
  );
}

function Facts({ had }: { had: Had }) {
  const { t } = useTranslation();
  const format = useFormat();
  const may = useMay();
  const { points, stored, standing, progress } = had;
  const tier = (name: string) => t(`members.tier.${name}`, { defaultValue: name });
  const facts: [string, string][] = [
    [t("members.tierIs"), had.tier ? tier(had.tier) : t("members.noMember")],
    ...(standing?.until ? [[t("members.until"), format.date(standing.until)] as [string, string]] : []),
    [t("members.points"), format.quantity(points.available)],
    [t("members.held"), format.quantity(points.held)],
    ...(points.debt ? [[t("members.debt"), format.quantity(points.debt)] as [string, string]] : []),
    [t("members.paid"), format.money(stored.paid_cents)],
    [t("members.given"), format.money(stored.given_cents)],
    ...(stored.held_cents ? [[t("members.storedHeld"), format.money(stored.held_cents)] as [string, string]] : []),
  ];
  const way = progress && [
    t("members.bought", { money: format.money(progress.window_cents) }),
    progress.next_tier &&
      t("members.toRise", { money: format.money(progress.to_rise_cents), tier: tier(progress.next_tier) }),
    progress.to_keep_cents > 0 &&
      t("members.toKeep", { money: format.money(progress.to_keep_cents), day: format.date(progress.keep_by) }),
  ];
  return (
    <section className="panel" aria-label={had.member}>
      <dl className="facts">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="numeric">{value}</dd>
          </div>
        ))}
      </dl>
      {way && <p className="muted">{way.filter(Boolean).join(" ")}</p>}
      {may("members.adjust") && <Adjust code={had.member} />}
    </section>
  );
}

function Lots({ had }: { had: Had }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <section className="panel">
      <h2>{t("members.lots")}</h2>
      <PlainTable
        label={t("members.lots")}
        rows={had.points.lots}
        rowKey={(lot) => lot.expires_on}
        empty={<Empty what={t("members.noLots")} />}
        columns={[
          { name: "ends", title: t("members.ends"), width: 150, show: (lot) => format.date(lot.expires_on) },
          { name: "points", title: t("members.free"), width: 110, numeric: true, show: (lot) => format.quantity(lot.points) },
          { name: "held", title: t("members.held"), width: 110, numeric: true, show: (lot) => format.quantity(lot.held) },
        ]}
      />
    </section>
  );
}

type HistoryProps = {
  of: "points" | "stored";
  lines: Line[];
  more: (() => void) | undefined;
  busy: boolean;
};

/** Every movement, the last first: what, how much, what for, by whom. */
function History({ of, lines, more, busy }: HistoryProps) {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  const amount = (line: Line) => {
    const value = of === "stored" ? format.money(line.amount) : format.quantity(line.amount);
    return line.amount > 0 ? `+${value}` : value;
  };
  const lot = ({ lot }: Line) =>
    /^\d{4}-/.test(lot) ? format.date(lot) : t(`members.lot.${lot}`, { defaultValue: lot });
  return (
    <section className="panel">
      <h2>{t("members.history")}</h2>
      <Segmented
        aria-label={t("members.history")}
        value={of}
        options={[
          { value: "points", label: t("members.points") },
          { value: "stored", label: t("members.stored") },
        ]}
        onChange={(value) => set({ of: value === "stored" ? "stored" : undefined })}
      />
      <PlainTable
        label={t("members.history")}
        rows={lines}
        rowKey={(line) => String(line.number)}
        empty={<Empty what={t("members.noHistory")} />}
        columns={[
          { name: "at", title: t("col.when"), width: 150, show: (line) => format.moment(line.at) },
          { name: "what", title: t("col.deed"), width: 130, show: (line) => <Tag>{t(`members.what.${of === "stored" && line.what === "earned" ? "topped_up" : line.what}`, { defaultValue: line.what })}</Tag> },
          { name: "amount", title: t("members.amount"), width: 110, numeric: true, show: amount },
          { name: "lot", title: t("members.ofLot"), width: 130, show: lot },
          { name: "cause", title: t("members.cause"), width: 260, show: (line) => (
            <>
              <span className="broken">{line.cause}</span>
              {line.note && <div className="small muted">{line.note}</div>}
            </>
          ) },
          { name: "actor", title: t("col.actor"), width: 120, show: (line) => line.actor },
        ]}
      />
      {more && (
        <Button block loading={busy} onClick={more}>
          {t("members.more")}
        </Button>
      )}
    </section>
  );
}
