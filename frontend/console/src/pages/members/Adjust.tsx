/** A correction of a member's points by hand, with its reason. */
import { App, Button, Form, Input, InputNumber, Modal } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import { useCommand } from "../../parts/command";
import { useFormat } from "../../parts/format";

type Entered = { points: number; reason: string };

export function Adjust({ code }: { code: string }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { message } = App.useApp();
  const [open, setOpen] = useState(false);
  const adjust = useCommand({
    run: (body: Entered, key) =>
      post("/api/members/{code}/adjustments", { path: { code }, body, key }),
    affects: ["members", "liability"],
    done: ({ available }) => {
      setOpen(false);
      void message.success(t("members.adjusted", { points: format.quantity(available) }));
    },
  });
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t("members.adjust")}</Button>
      <Modal
        open={open}
        title={t("members.adjust")}
        onCancel={() => setOpen(false)}
        footer={null}
        destroyOnHidden
      >
        <Form<Entered> layout="vertical" onFinish={(entered) => adjust.mutate(entered)}>
          <p>{t("members.aboutAdjust")}</p>
          <Form.Item
            name="points"
            label={t("members.adjustPoints")}
            rules={[
              { required: true, message: t("members.pointsNeeded") },
              { validator: (_, value) => (value === 0 ? Promise.reject(new Error(t("members.pointsNeeded"))) : Promise.resolve()) },
            ]}
          >
            <InputNumber precision={0} min={-1_000_000_000} max={1_000_000_000} className="wide" />
          </Form.Item>
          <Form.Item
            name="reason"
            label={t("deciding.reason")}
            rules={[{ required: true, whitespace: true, message: t("deciding.reasonNeeded") }]}
          >
            <Input.TextArea rows={2} maxLength={2000} />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={adjust.isPending}>
            {t("deciding.confirm")}
          </Button>
        </Form>
      </Modal>
    </>
  );
}
