/** The head of a page: its title, what it is for, and its tools: saved views, columns, files. */
import { DownloadOutlined, SaveOutlined, TableOutlined } from "@ant-design/icons";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { App, Button, Checkbox, Dropdown, Input, Popover } from "antd";
import { useState, type ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useSearchParams } from "react-router";
import { fileAddress, get, inWords, put, remove } from "../api/client";
import { useScope } from "../app/scope";
import { useShown, type Column } from "./PagedTable";

type Props<Row> = {
  page: string;
  children?: ReactNode;
  columns?: Column<Row>[];
  /** The list's address without ending; `.xlsx` and `.csv` are offered with these filters. */
  files?: { path: string; query: object };
};

export function PageHead<Row>({ page, children, columns, files }: Props<Row>) {
  const { t } = useTranslation();
  return (
    <header className="page-head">
      <div className="page-title">
        <h1>{t(`page.${page}`)}</h1>
        <p className="muted">{t(`about.${page}`)}</p>
      </div>
      <div className="page-tools">
        {children}
        {columns && <ColumnChoice columns={columns} />}
        {files && <Files {...files} />}
        <Views page={page} />
      </div>
    </header>
  );
}

function ColumnChoice<Row>({ columns }: { columns: Column<Row>[] }) {
  const { t } = useTranslation();
  const { set } = useScope();
  const shown = useShown(columns).map((one) => one.name);
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      content={
        <Checkbox.Group
          className="column-choice"
          aria-label={t("table.columns")}
          value={shown}
          options={columns.map((one) => ({ value: one.name, label: one.title }))}
          onChange={(names) => set({ columns: names.join(",") })}
        />
      }
    >
      <Button icon={<TableOutlined />} aria-label={t("table.columns")} title={t("table.columns")} />
    </Popover>
  );
}

function Files({ path, query }: { path: string; query: object }) {
  const { t } = useTranslation();
  const items = ["xlsx", "csv"].map((ending) => ({
    key: ending,
    label: (
      <a href={fileAddress(`${path}.${ending}`, query)} download>
        {t(`file.${ending}`)}
      </a>
    ),
  }));
  return (
    <Dropdown trigger={["click"]} menu={{ items }}>
      <Button icon={<DownloadOutlined />} aria-label={t("file.title")} title={t("file.title")} />
    </Dropdown>
  );
}

/** Saved views: the filters of a page under a name, kept with the account. */
function Views({ page }: { page: string }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const cache = useQueryClient();
  const [params, setParams] = useSearchParams();
  const [name, setName] = useState("");
  const { data } = useQuery({
    queryKey: ["views", page],
    queryFn: () => get("/api/views/{page}", { path: { page } }),
  });
  const done = () => void cache.invalidateQueries({ queryKey: ["views", page] });
  const failed = (error: Error) => void message.error(inWords(error), 8);
  const save = useMutation({
    mutationFn: (called: string) =>
      put("/api/views/{page}/{name}", {
        path: { page, name: called },
        body: { search: params.toString() },
      }),
    onSuccess: () => {
      setName("");
      done();
    },
    onError: failed,
  });
  const drop = useMutation({
    mutationFn: (called: string) =>
      remove("/api/views/{page}/{name}", { path: { page, name: called } }),
    onSuccess: done,
    onError: failed,
  });
  const content = (
    <div className="views">
      {(data?.rows ?? []).map((view) => (
        <div key={view.name} className="view-line">
          <Button type="text" onClick={() => setParams(new URLSearchParams(view.search))}>
            {view.name}
          </Button>
          <Button type="text" size="small" onClick={() => drop.mutate(view.name)}>
            {t("views.drop")}
          </Button>
        </div>
      ))}
      <Input.Search
        value={name}
        aria-label={t("views.name")}
        placeholder={t("views.name")}
        enterButton={t("views.save")}
        onChange={(event) => setName(event.target.value)}
        onSearch={(called) => called.trim() && save.mutate(called.trim())}
      />
    </div>
  );
  return (
    <Popover trigger="click" placement="bottomRight" title={t("views.title")} content={content}>
      <Button icon={<SaveOutlined />} aria-label={t("views.title")} title={t("views.title")} />
    </Popover>
  );
}
