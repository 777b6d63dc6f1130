/** Purchase orders: what was ordered where, its lines and what has arrived. */
import { useQuery } from "@tanstack/react-query";
import { Grid, Skeleton } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { opens } from "../../app/pages";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { SideDrawer } from "../../parts/SideDrawer";
import { useFormat } from "../../parts/format";
import { PagedTable, type Column } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";
import { SearchBox } from "../../parts/SearchBox";

type Order = Schemas["OrderRow"];

export default function Orders() {
  const { t } = useTranslation();
  const { filters, shared, set } = useScope();
  const query = useMemo(
    () => ({ ...shared, search: filters.search }),
    [shared, filters],
  );
  const columns = useColumns();
  return (
    <div className="page page-filled">
      <PageHead page="orders" columns={columns} />
      <div className="filters">
        <SearchBox hint={t("orders.search")} />
      </div>
      <PagedTable<Order>
        label={t("page.orders")}
        queryKey={["orders", query]}
        load={(page, signal) => get("/api/orders", { query: { ...query, ...page }, signal })}
        columns={columns}
        rowKey={(row) => row.name}
        onOpen={(row) => set({ order: row.name })}
        empty={<Empty what={t("orders.none")} todo={t("orders.noneTodo")} />}
      />
      <OrderDrawer />
    </div>
  );
}

function useColumns(): Column<Order>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const { set } = useScope();
  return useMemo(
    () => [
      { name: "name", title: t("col.order"), width: 130, show: (row) => (
        <button type="button" className="link" onClick={() => set({ order: row.name })}>
          {row.name}
        </button>
      ) },
      { name: "supplier", title: t("col.supplier"), width: 190, show: (row) => <span title={row.supplier}>{row.supplier_name}</span> },
      { name: "place", title: t("col.place"), width: 110, show: (row) => row.place },
      { name: "status", title: t("col.status"), width: 100, show: (row) => t(`orderState.${row.status}`, { defaultValue: row.status }) },
      { name: "ordered_on", title: t("col.ordered_on"), width: 120, numeric: true, show: (row) => format.date(row.ordered_on) },
      { name: "expected_on", title: t("col.expected_on"), width: 120, numeric: true, show: (row) => format.date(row.expected_on) },
      { name: "lines", title: t("col.lines"), width: 80, numeric: true, show: (row) => format.quantity(row.lines) },
      { name: "quantity", title: t("col.ordered"), width: 100, numeric: true, show: (row) => format.quantity(row.quantity) },
      { name: "received", title: t("col.received"), width: 100, numeric: true, show: (row) => format.quantity(row.received) },
      { name: "value", title: t("col.value"), width: 120, numeric: true, show: (row) => format.money(row.value_cents) },
    ],
    [t, format, set],
  );
}

function OrderDrawer() {
  const { t } = useTranslation();
  const format = useFormat();
  const { filters, set } = useScope();
  const may = useMay();
  const wide = Grid.useBreakpoint().md ?? true;
  const name = filters.order;
  const { data, error, refetch } = useQuery({
    queryKey: ["orders", "one", name],
    queryFn: () => get("/api/orders/{name}", { path: { name: name ?? "" } }),
    enabled: !!name,
  });
  return (
    <SideDrawer open={!!name} onClose={() => set({ order: undefined })} size={wide ? 620 : "100%"} title={name}>
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton active title={false} />}
      {data && (
        <>
          <p>
            {t("orders.to", { supplier: data.supplier_name, place: data.place })}{" "}
            {t("orders.expected", { day: format.date(data.expected_on) })}
          </p>
          <p className="numeric">
            {t(`orderState.${data.status}`, { defaultValue: data.status })} ·{" "}
            {format.money(data.value_cents)}
            {(data.below_minimum_cents ?? 0) > 0 &&
              ` · ${t("orders.belowMinimum", { money: format.money(data.below_minimum_cents) })}`}
          </p>
          <div className="scrolled">
            <table className="terms">
              <thead>
                <tr>
                  <th scope="col">{t("col.item")}</th>
                  <th scope="col" className="numeric">{t("col.ordered")}</th>
                  <th scope="col" className="numeric">{t("col.received")}</th>
                  <th scope="col" className="numeric">{t("col.unitCost")}</th>
                  <th scope="col" className="numeric">{t("col.decision")}</th>
                </tr>
              </thead>
              <tbody>
                {data.lines.map((line) => (
                  <tr key={line.sku}>
                    <td>{line.item_name ?? line.sku}</td>
                    <td className="numeric">{format.quantity(line.quantity)}</td>
                    <td className="numeric">{format.quantity(line.received)}</td>
                    <td className="numeric">{format.money(line.unit_cost_cents)}</td>
                    <td className="numeric">
                      {line.decision && opens("decisions", may) ? (
                        <Link to={`/decisions?decision=${line.decision}`}>{line.decision}</Link>
                      ) : (
                        (line.decision ?? "–")
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </SideDrawer>
  );
}
