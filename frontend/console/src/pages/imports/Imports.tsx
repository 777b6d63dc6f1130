/** Imports and data quality: bring a file, see what came of each, and what could not be used. */
import { InboxOutlined } from "@ant-design/icons";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, Grid, Popconfirm, Progress, Space, Upload } from "antd";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { get, inWords, post, upload } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useLive } from "../../app/events";
import { useScope } from "../../app/scope";
import { useMay } from "../../app/session";
import { Empty } from "../../parts/Empty";
import { SideDrawer } from "../../parts/SideDrawer";
import { useFormat } from "../../parts/format";
import { PagedTable, type Column } from "../../parts/PagedTable";
import { PageHead } from "../../parts/PageHead";

type Batch = Schemas["Batch"];
type Reject = Schemas["Reject"];

export default function Imports() {
  const { t } = useTranslation();
  const may = useMay();
  const { set } = useScope();
  const columns = useColumns();
  return (
    <div className="page page-filled">
      <PageHead page="imports" columns={columns} />
      {may("data.import") && <Bring />}
      <Running />
      <PagedTable<Batch>
        label={t("page.imports")}
        queryKey={["imports"]}
        load={(page, signal) => get("/api/imports", { query: page, signal })}
        columns={columns}
        rowKey={(row) => row.id}
        onOpen={(row) => set({ batch: row.id })}
        empty={<Empty what={t("imports.none")} todo={t("imports.noneTodo")} />}
      />
      <Rejects />
    </div>
  );
}

/** A file is checked row by row; the job tells of its progress. */
function Bring() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const cache = useQueryClient();
  return (
    <Upload.Dragger
      className="bring"
      accept=".csv,.tsv,.txt,.xlsx,.parquet,.json,.gz,.zip"
      showUploadList={false}
      multiple
      customRequest={({ file, onSuccess, onError }) => {
        upload(file as File)
          .then((told) => {
            onSuccess?.(told);
            void message.info(t("imports.taken", { name: (file as File).name }));
            void cache.invalidateQueries({ queryKey: ["imports"] });
          })
          .catch((error: Error) => {
            onError?.(error);
            void message.error(inWords(error), 8);
          });
      }}
    >
      <InboxOutlined /> {t("imports.drop")}
      <div className="muted small">{t("imports.dropHint")}</div>
    </Upload.Dragger>
  );
}

function Running() {
  const { jobs } = useLive();
  return jobs
    .filter((job) => job.state === "running")
    .map((job) => (
      <div key={job.id} className="panel">
        {job.what} <span className="muted">{job.step}</span>
        <Progress
          aria-label={job.what}
          percent={job.total ? Math.round((100 * job.done) / job.total) : 0}
        />
      </div>
    ));
}

function useColumns(): Column<Batch>[] {
  const { t } = useTranslation();
  const format = useFormat();
  return useMemo(
    () => [
      { name: "begun_at", title: t("col.begun_at"), width: 150, numeric: true, show: (row) => format.moment(row.begun_at) },
      { name: "name", title: t("col.file"), width: 220, show: (row) => <span title={row.name}>{row.name}</span> },
      { name: "source", title: t("col.source"), width: 160, show: (row) => row.source },
      { name: "actor", title: t("col.actor"), width: 110, show: (row) => row.actor },
      { name: "kind", title: t("col.kind"), width: 90, show: (row) => t(`batch.${row.undone_by ? "undone" : row.kind}`, { defaultValue: row.kind }) },
      { name: "new", title: t("col.new"), width: 100, numeric: true, show: (row) => format.quantity(row.new) },
      { name: "repeated", title: t("col.repeated"), width: 100, numeric: true, show: (row) => format.quantity(row.repeated) },
      { name: "rejected", title: t("col.rejected"), width: 110, numeric: true, show: (row) => format.quantity(row.rejected) },
      { name: "open", title: t("col.action"), width: 230, show: (row) => <Actions batch={row} /> },
    ],
    [t, format],
  );
}

function Actions({ batch }: { batch: Batch }) {
  const { t } = useTranslation();
  const may = useMay();
  const { set } = useScope();
  const { message } = App.useApp();
  const cache = useQueryClient();
  const undo = useMutation({
    mutationFn: () => post("/api/imports/{batch}/undo", { path: { batch: batch.id } }),
    onSuccess: () => void cache.invalidateQueries({ queryKey: ["imports"] }),
    onError: (error) => void message.error(inWords(error), 8),
  });
  return (
    <Space>
      {batch.rejected > 0 && (
        <Button size="small" onClick={() => set({ batch: batch.id })}>
          {t("imports.rejects")}
        </Button>
      )}
      {batch.kind === "import" && !batch.undone_by && may("data.import") && (
        <Popconfirm title={t("imports.sureUndo")} onConfirm={() => undo.mutate()}>
          <Button size="small" loading={undo.isPending}>
            {t("imports.undo")}
          </Button>
        </Popconfirm>
      )}
    </Space>
  );
}

function Rejects() {
  const { t } = useTranslation();
  const format = useFormat();
  const { filters, set } = useScope();
  const wide = Grid.useBreakpoint().md ?? true;
  const batch = filters.batch;
  const columns: Column<Reject>[] = [
    { name: "row", title: t("col.row"), width: 80, numeric: true, show: (row) => format.quantity(row.row) },
    { name: "column", title: t("col.column"), width: 120, show: (row) => row.column ?? "–" },
    { name: "found", title: t("col.found"), width: 120, show: (row) => row.value ?? "–" },
    { name: "message", title: t("col.message"), width: 220, show: (row) => <span title={row.message}>{row.message}</span> },
    { name: "remedy", title: t("col.remedy"), width: 240, show: (row) => <span title={row.remedy ?? ""}>{row.remedy ?? "–"}</span> },
  ];
  return (
    <SideDrawer
      open={!!batch}
      onClose={() => set({ batch: undefined })}
      size={wide ? 820 : "100%"}
      title={t("imports.rejects")}
      destroyOnHidden
    >
      {batch && (
        <PagedTable<Reject>
          label={t("imports.rejects")}
          height="70vh"
          queryKey={["imports", "rejects", batch]}
          load={(page, signal) =>
            get("/api/imports/{batch}/rejects", { path: { batch }, query: page, signal })
          }
          columns={columns}
          rowKey={(row) => `${row.row}/${row.column}/${row.message}`}
          empty={<Empty what={t("imports.noRejects")} />}
        />
      )}
    </SideDrawer>
  );
}
