/** Accept, Edit, Reject, Snooze for one decision or many; the reason is asked where it must be. */
import { Button, DatePicker, Form, Input, InputNumber, Modal, Space } from "antd";
import dayjs from "dayjs";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { useMay } from "../app/session";
import type { Deed } from "../api/types";
import { useDeciding, type Decided } from "./deciding";

const OF_MANY: Deed[] = ["approve", "reject", "snooze"];
type Asked = "edit" | "reject" | "snooze";
type Entered = { reason?: string; quantity?: number; until?: dayjs.Dayjs };

type Props = {
  numbers: number[];
  /** What may still be made of a single decision, and its present quantity. */
  deeds?: Deed[];
  quantity?: number;
  onDone?: () => void;
};

export function DecideBar({ numbers, deeds = OF_MANY, quantity, onDone }: Props) {
  const { t } = useTranslation();
  const may = useMay();
  const deciding = useDeciding();
  const [asked, setAsked] = useState<Asked>();
  if (!may("decisions.decide") || !numbers.length) return null;
  const send = (deed: Decided) =>
    deciding.mutate(deed, {
      onSuccess: () => {
        setAsked(undefined);
        onDone?.();
      },
    });
  const take = ({ reason = "", quantity: changed, until }: Entered) => {
    if (asked === "edit") send({ what: "edit", number: numbers[0]!, quantity: changed!, reason });
    if (asked === "reject") send({ what: "reject", numbers, reason });
    if (asked === "snooze")
      send({ what: "snooze", numbers, reason, until: until!.format("YYYY-MM-DD") });
  };
  return (
    <Space wrap>
      {deeds.includes("approve") && (
        <Button
          type="primary"
          loading={deciding.isPending}
          onClick={() => send({ what: "approve", numbers, reason: "" })}
        >
          {t("deciding.approve")}
        </Button>
      )}
      {deeds.includes("edit") && (
        <Button onClick={() => setAsked("edit")}>{t("deciding.edit")}</Button>
      )}
      {deeds.includes("reject") && (
        <Button danger onClick={() => setAsked("reject")}>
          {t("deciding.reject")}
        </Button>
      )}
      {deeds.includes("snooze") && (
        <Button onClick={() => setAsked("snooze")}>{t("deciding.snooze")}</Button>
      )}
      <Modal
        open={asked !== undefined}
        title={asked && t(`deciding.${asked}`)}
        onCancel={() => setAsked(undefined)}
        footer={null}
        destroyOnHidden
      >
        <Form<Entered>
          layout="vertical"
          onFinish={take}
          initialValues={{ quantity, until: dayjs().add(1, "day") }}
        >
          {asked === "edit" && (
            <Form.Item name="quantity" label={t("deciding.quantity")} rules={[{ required: true }]}>
              <InputNumber min={0} precision={0} autoFocus className="wide" />
            </Form.Item>
          )}
          {asked === "snooze" && (
            <Form.Item name="until" label={t("deciding.until")} rules={[{ required: true }]}>
              <DatePicker className="wide" minDate={dayjs().add(1, "day")} />
            </Form.Item>
          )}
          <Form.Item
            name="reason"
            label={t("deciding.reason")}
            rules={[{ required: asked !== "snooze", message: t("deciding.reasonNeeded") }]}
          >
            <Input.TextArea rows={2} />
          </Form.Item>
          <Button type="primary" htmlType="submit" loading={deciding.isPending}>
            {t("deciding.confirm")}
          </Button>
        </Form>
      </Modal>
    </Space>
  );
}
