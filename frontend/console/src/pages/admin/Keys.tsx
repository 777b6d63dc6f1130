/** Keys of programs and devices: made once, shown once, revoked when no longer needed. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Alert, App, Button, Form, Input, Modal, Popconfirm, Tag, Typography } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { inWords, post, remove } from "../../api/client";
import type { Schemas } from "../../api/types";
import { Asked } from "../../parts/Asked";
import { Empty } from "../../parts/Empty";
import { useFormat } from "../../parts/format";
import type { Column } from "../../parts/PagedTable";
import { PlainTable } from "../../parts/PlainTable";
import { Scoped } from "./Accounts";

type Key = Schemas["Key"];
type Entered = Pick<Schemas["KeyEntered"], "label" | "roles" | "places" | "suppliers">;

export function Keys() {
  const { t } = useTranslation();
  const format = useFormat();
  const [open, setOpen] = useState(false);
  const columns: Column<Key>[] = [
    { name: "label", title: t("col.name"), width: 180, show: (row) => row.label },
    { name: "roles", title: t("col.roles"), width: 220, show: (row) => row.roles.map((role) => <Tag key={role}>{t(`role.${role}`)}</Tag>) },
    { name: "places", title: t("col.places"), width: 180, show: (row) => row.places?.join(", ") ?? t("word.all") },
    { name: "device", title: t("col.device"), width: 90, show: (row) => t(row.device ? "word.yes" : "word.no") },
    { name: "expires", title: t("col.expires"), width: 150, numeric: true, show: (row) => format.moment(row.expires_at) },
    { name: "revoke", title: t("col.action"), width: 110, show: (row) => (row.revoked_at ? t("admin.revoked") : <Revoke id={row.id} />) },
  ];
  return (
    <section className="panel">
      <Button type="primary" onClick={() => setOpen(true)}>
        {t("admin.addKey")}
      </Button>
      <Asked queryKey={["keys"]} path="/api/keys">
        {({ rows }) => (
          <PlainTable<Key>
            label={t("admin.keys")}
            rows={rows}
            columns={columns}
            rowKey={(row) => row.id}
            empty={<Empty what={t("admin.noKeys")} todo={t("admin.noKeysTodo")} />}
          />
        )}
      </Asked>
      <Modal open={open} onCancel={() => setOpen(false)} title={t("admin.addKey")} footer={null} destroyOnHidden>
        <Add />
      </Modal>
    </section>
  );
}

function Revoke({ id }: { id: string }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const cache = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => remove("/api/keys/{id}", { path: { id } }),
    onSuccess: () => void cache.invalidateQueries({ queryKey: ["keys"] }),
    onError: (error) => void message.error(inWords(error), 8),
  });
  return (
    <Popconfirm title={t("admin.sureRevoke")} onConfirm={() => revoke.mutate()}>
      <Button size="small" danger loading={revoke.isPending}>
        {t("admin.revoke")}
      </Button>
    </Popconfirm>
  );
}

function Add() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const cache = useQueryClient();
  const add = useMutation({
    mutationFn: (entered: Entered) =>
      post("/api/keys", {
        body: {
          ...entered,
          device: false,
          places: entered.places?.length ? entered.places : null,
          suppliers: entered.suppliers?.length ? entered.suppliers : null,
        },
      }),
    onSuccess: () => void cache.invalidateQueries({ queryKey: ["keys"] }),
    onError: (error) => void message.error(inWords(error), 8),
  });
  if (add.data)
    return (
      <Alert
        type="warning"
        title={t("admin.onlyOnce")}
        description={
          <Typography.Text copyable code>
            {add.data.secret}
          </Typography.Text>
        }
      />
    );
  return (
    <Form<Entered> layout="vertical" onFinish={(entered) => add.mutate(entered)}>
      <Form.Item name="label" label={t("col.name")} rules={[{ required: true, message: t("signIn.required") }]}>
        <Input />
      </Form.Item>
      <Scoped />
      <Button type="primary" htmlType="submit" loading={add.isPending}>
        {t("admin.addKey")}
      </Button>
    </Form>
  );
}
