/** Accounts: add one, change its roles, what it may see, and whether it may sign in. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App, Button, Form, Input, Modal, Select, Switch, Tag } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { inWords, patch, post } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useChoices } from "../../app/ScopeBar";
import { Asked } from "../../parts/Asked";
import type { Column } from "../../parts/PagedTable";
import { PlainTable } from "../../parts/PlainTable";

const ROLES: Account["roles"] = [
  "planner",
  "buyer",
  "pricing",
  "growth",
  "store",
  "service",
  "supplier",
  "admin",
];

type Account = Schemas["Account"];
type Entered = Schemas["AccountEntered"] & { active?: boolean };

export function Accounts() {
  const { t } = useTranslation();
  const [open, setOpen] = useState<Account | "new">();
  const columns: Column<Account>[] = [
    { name: "name", title: t("signIn.name"), width: 160, show: (row) => row.name },
    { name: "roles", title: t("col.roles"), width: 240, show: (row) => row.roles.map((role) => <Tag key={role}>{t(`role.${role}`)}</Tag>) },
    { name: "places", title: t("col.places"), width: 200, show: (row) => row.places?.join(", ") ?? t("word.all") },
    { name: "suppliers", title: t("col.suppliers"), width: 160, show: (row) => row.suppliers?.join(", ") ?? t("word.all") },
    { name: "factor", title: t("col.second_factor"), width: 120, show: (row) => t(row.has_second_factor ? "word.yes" : "word.no") },
    { name: "active", title: t("col.active"), width: 90, show: (row) => t(row.active ? "word.yes" : "word.no") },
    { name: "change", title: t("col.action"), width: 100, show: (row) => (
      <Button size="small" onClick={() => setOpen(row)}>
        {t("admin.change")}
      </Button>
    ) },
  ];
  return (
    <section className="panel">
      <Button type="primary" onClick={() => setOpen("new")}>
        {t("admin.addAccount")}
      </Button>
      <Asked queryKey={["accounts"]} path="/api/accounts">
        {({ rows }) => (
          <PlainTable<Account>
            label={t("admin.accounts")}
            rows={rows}
            columns={columns}
            rowKey={(row) => row.name}
          />
        )}
      </Asked>
      <Modal
        open={!!open}
        onCancel={() => setOpen(undefined)}
        title={open === "new" ? t("admin.addAccount") : open?.name}
        footer={null}
        destroyOnHidden
      >
        {open && <Editor account={open === "new" ? undefined : open} done={() => setOpen(undefined)} />}
      </Modal>
    </section>
  );
}

function Editor({ account, done }: { account?: Account; done: () => void }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const cache = useQueryClient();
  const save = useMutation({
    mutationFn: (entered: Entered) => {
      const body = {
        ...entered,
        places: entered.places?.length ? entered.places : null,
        suppliers: entered.suppliers?.length ? entered.suppliers : null,
      };
      return account
        ? patch("/api/accounts/{name}", {
            path: { name: account.name },
            body: { ...body, active: entered.active ?? true },
          })
        : post("/api/accounts", { body });
    },
    onSuccess: () => {
      void cache.invalidateQueries({ queryKey: ["accounts"] });
      done();
    },
    onError: (error) => void message.error(inWords(error), 8),
  });
  const needed = [{ required: true, message: t("signIn.required") }];
  return (
    <Form<Entered>
      layout="vertical"
      initialValues={account ? { ...account } : { language: "zh-CN", roles: ["planner"] }}
      onFinish={(entered) => save.mutate(entered)}
    >
      {!account && (
        <>
          <Form.Item name="name" label={t("signIn.name")} rules={needed}>
            <Input autoComplete="off" />
          </Form.Item>
          <Form.Item
            name="password"
            label={t("signIn.password")}
            extra={t("signIn.passwordHint")}
            rules={[...needed, { min: 12, message: t("signIn.tooShort") }]}
          >
            <Input.Password autoComplete="new-password" />
          </Form.Item>
        </>
      )}
      <Scoped />
      <Form.Item name="language" label={t("frame.language")} rules={needed}>
        <Select
          options={[
            { value: "zh-CN", label: "简体中文" },
            { value: "en", label: "English" },
          ]}
        />
      </Form.Item>
      {account && (
        <Form.Item name="active" label={t("col.active")} valuePropName="checked">
          <Switch />
        </Form.Item>
      )}
      <Button type="primary" htmlType="submit" loading={save.isPending}>
        {t("deciding.confirm")}
      </Button>
    </Form>
  );
}

/** Roles, and the places and suppliers they see; left empty, all. */
export function Scoped() {
  const { t } = useTranslation();
  const { data } = useChoices();
  const places = (data?.regions ?? []).flatMap((region) => region.places);
  return (
    <>
      <Form.Item
        name="roles"
        label={t("col.roles")}
        rules={[{ required: true, message: t("signIn.required") }]}
      >
        <Select mode="multiple" options={ROLES.map((role) => ({ value: role, label: t(`role.${role}`) }))} />
      </Form.Item>
      <Form.Item name="places" label={t("col.places")} extra={t("admin.emptyIsAll")}>
        <Select
          mode="tags"
          options={places.map((place) => ({ value: place.id, label: place.name ?? place.id }))}
        />
      </Form.Item>
      <Form.Item name="suppliers" label={t("col.suppliers")} extra={t("admin.emptyIsAll")}>
        <Select
          mode="tags"
          options={(data?.suppliers ?? []).map((one) => ({ value: one, label: one }))}
        />
      </Form.Item>
    </>
  );
}
