/** The coupons that a member has, the first to end first, and what each lacks now. */
import { useQuery } from "@tanstack/react-query";
import { Skeleton } from "antd";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { useFormat } from "../../parts/format";
import { PlainTable } from "../../parts/PlainTable";
import { Standing } from "../../parts/Status";

export function Coupons({ code }: { code: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { data, error, refetch } = useQuery({
    queryKey: ["members", code, "coupons"],
    queryFn: ({ signal }) => get("/api/members/{code}/coupons", { path: { code }, signal }),
  });
  return (
    <section className="panel">
      <h2>{t("members.coupons")}</h2>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton active title={false} />}
      {data && (
        <PlainTable
          label={t("members.coupons")}
          rows={data.rows}
          rowKey={(one) => one.id}
          empty={<Empty what={t("members.noCoupons")} />}
          columns={[
            { name: "name", title: t("members.coupon"), width: 180, show: (one) => (
              <>
                {one.name}
                <div className="small muted">{one.campaign}</div>
              </>
            ) },
            { name: "state", title: t("col.status"), width: 150, show: (one) => (
              <Standing look={one.why_not ? undefined : "good"}>
                {t(one.why_not ? `members.lack.${one.why_not.why}` : "members.usable", {
                  defaultValue: one.why_not?.sentence,
                  when: format.moment(one.why_not?.when),
                })}
              </Standing>
            ) },
            { name: "ends", title: t("members.ends"), width: 150, show: (one) => format.moment(one.ends_at) },
          ]}
        />
      )}
    </section>
  );
}
