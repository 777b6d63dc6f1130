/** What comes back: looked up by the order the shopper names, received, then inspected. */
import { useQuery } from "@tanstack/react-query";
import { Button, Skeleton } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { get } from "../../api/client";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { Scan } from "../../parts/Scan";
import { Inspect, Receive } from "./ReturnCards";

export function Returns({ place }: { place: string }) {
  const { t } = useTranslation();
  const [order, setOrder] = useState("");
  const awaited = useQuery({
    queryKey: ["store", "awaited", order],
    queryFn: () => get("/api/store/awaited/{order}", { path: { order } }),
    enabled: !!order,
  });
  const here = useQuery({
    queryKey: ["store", "returns", place],
    queryFn: ({ signal }) =>
      get("/api/store/returns", { query: { place, state: "received" }, signal }),
  });
  const error = awaited.error ?? here.error;
  return (
    <>
      <Scan
        label={t("returns.order")}
        digits
        onCode={(code) => setOrder(/^[0-9]{1,18}$/.test(code) ? code : "")}
      />
      {error && <Failure error={error} retry={() => void here.refetch()} />}
      {order && awaited.data?.rows.length === 0 && (
        <Empty what={t("returns.none", { order })} todo={t("returns.noneTodo")} />
      )}
      {awaited.data?.rows.map((back) => (
        <section key={back.id} className="panel">
          <h2>{t("returns.receive", { order: back.order })}</h2>
          <Receive back={back} place={place} onDone={() => setOrder("")} />
        </section>
      ))}
      {order && (
        <Button size="large" onClick={() => setOrder("")}>
          {t("returns.close")}
        </Button>
      )}
      <h2 className="store-h2">{t("returns.here")}</h2>
      {!here.data && !error && <Skeleton active title={false} />}
      {here.data?.total === 0 && <p className="muted">{t("returns.noneHere")}</p>}
      {here.data?.rows.map((back) => (
        <section key={back.id} className="panel">
          <h2>{t("returns.inspect", { order: back.order })}</h2>
          <Inspect back={back} onDone={() => undefined} />
        </section>
      ))}
    </>
  );
}
