/** Items: found by code, barcode or name; what one costs and where it lies. */
import { useQuery } from "@tanstack/react-query";
import { Grid, Skeleton } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { Link } from "react-router";
import { get } from "../../api/client";
import type { Schemas } from "../../api/types";
import { opens } from "../../app/pages";
import { addressOf, useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { Failure } from "../../parts/Failure";
import { SideDrawer } from "../../parts/SideDrawer";
import { useFormat } from "../../parts/format";
import { PageHead } from "../../parts/PageHead";
import { PlainTable } from "../../parts/PlainTable";
import type { Column } from "../../parts/PagedTable";
import { SearchBox } from "../../parts/SearchBox";

type Found = Schemas["Found"];
type Lies = Schemas["PlaceStock"];

export default function Items() {
  const { t } = useTranslation();
  const may = useMay();
  const { filters } = useScope();
  return (
    <div className="page">
      <PageHead page="items" />
      {!opens("workbench", may) && <Besides />}
      <div className="filters">
        <SearchBox hint={t("items.hint")} />
      </div>
      {filters.search ? (
        <Results text={filters.search} />
      ) : (
        <Empty what={t("items.search")} todo={t("items.searchTodo")} />
      )}
      <ItemDrawer />
    </div>
  );
}

/** Where else somebody looks who answers questions: orders on their way, and what was decided. */
function Besides() {
  const { t } = useTranslation();
  const may = useMay();
  const { shared } = useScope();
  const pages = ["orders", "decisions"].filter((name) => opens(name, may));
  return (
    <section className="besides">
      {pages.map((name) => (
        <Link key={name} to={addressOf(`/${name}`, shared)} className="panel">
          <strong>{t(`page.${name}`)}</strong>
          <span className="muted">{t(`about.${name}`)}</span>
        </Link>
      ))}
    </section>
  );
}

function Results({ text }: { text: string }) {
  const { t } = useTranslation();
  const { set } = useScope();
  const { data, error, refetch } = useQuery({
    queryKey: ["search", text],
    queryFn: ({ signal }) => get("/api/search", { query: { q: text }, signal }),
    placeholderData: (before) => before,
  });
  const columns: Column<Found>[] = useMemo(
    () => [
      { name: "item", title: t("col.item"), width: 320, show: (row) => (
        <button type="button" className="link" onClick={() => set({ item: row.id })}>
          {row.title}
        </button>
      ) },
      { name: "sku", title: t("col.sku"), width: 160, show: (row) => row.id },
    ],
    [t, set],
  );
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  if (!data) return <Skeleton active title={false} />;
  return (
    <section className="panel">
      <PlainTable<Found>
        label={t("page.items")}
        rows={data.rows.filter((found) => found.kind === "sku")}
        columns={columns}
        rowKey={(row) => row.id}
        empty={<Empty what={t("search.none")} todo={t("items.searchTodo")} />}
      />
    </section>
  );
}

function ItemDrawer() {
  const { t } = useTranslation();
  const format = useFormat();
  const { filters, set } = useScope();
  const wide = Grid.useBreakpoint().md ?? true;
  const sku = filters.item;
  const { data, error, refetch } = useQuery({
    queryKey: ["item", sku],
    queryFn: () => get("/api/items/{sku}", { path: { sku: sku ?? "" } }),
    enabled: !!sku,
  });
  const price = (row: Lies) =>
    row.per_units && row.per_units > 1
      ? t("items.pricePer", { money: format.money(row.price_cents), units: row.per_units })
      : format.money(row.price_cents);
  const columns: Column<Lies>[] = [
    { name: "place", title: t("col.place"), width: 180, show: (row) => row.place_name ? `${row.place_name} (${row.place})` : row.place },
    { name: "on_hand", title: t("col.on_hand"), width: 120, numeric: true, show: (row) => format.quantity(row.on_hand) },
    { name: "reserved", title: t("col.reserved"), width: 120, numeric: true, show: (row) => format.quantity(row.reserved) },
    { name: "price", title: t("col.price"), width: 120, numeric: true, show: price },
  ];
  return (
    <SideDrawer
      open={!!sku}
      onClose={() => set({ item: undefined })}
      size={wide ? 620 : "100%"}
      title={data ? `${data.name} · ${data.sku}` : t("page.items")}
    >
      {error && <Failure error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton active title={false} />}
      {data && (
        <>
          <p className="muted">{[data.category, data.gtin].filter(Boolean).join(" · ")}</p>
          <PlainTable<Lies>
            label={t("items.where")}
            rows={data.places}
            columns={columns}
            rowKey={(row) => row.place}
            empty={<Empty what={t("items.nowhere")} />}
          />
        </>
      )}
    </SideDrawer>
  );
}
