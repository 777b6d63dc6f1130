/** What may be done with an order now, each with a question before it: cancel, hand over, return. */
import { App, Button, Form, Input, InputNumber, Modal, Popconfirm, Space } from "antd";
import { useState } from "react";
import { useTranslation } from "react-i18next";
import { post } from "../../api/client";
import type { Schemas } from "../../api/types";
import { useMay } from "../../app/session";
import { useCommand } from "../../parts/command";

type Sale = Schemas["SaleTold"];
type Back = { reason: string; units: Record<string, number> };
const AFFECTS = ["sales", "store"];

export function SaleActions({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const [asked, setAsked] = useState<"cancel" | "take_back">();
  const order = sale.id;
  const done = () => {
    setAsked(undefined);
    void message.success(t("sale.done"));
  };
  const cancel = useCommand({
    run: (body: { reason: string }, key) =>
      post("/api/shop/orders/{order}/cancel", { path: { order }, body, key }),
    affects: AFFECTS,
    done,
  });
  const handOver = useCommand({
    run: (_: null, key) =>
      post("/api/shop/orders/{order}/hand-over", { path: { order }, body: {}, key }),
    affects: AFFECTS,
    done,
  });
  const takeBack = useCommand({
    run: ({ reason, units }: Back, key) => {
      const lines = Object.entries(units)
        .filter(([, count]) => count > 0)
        .map(([line, count]) => ({ line: Number(line), units: count }));
      const body = { reason, lines, way: "store" as const, place: null };
      return post("/api/shop/orders/{order}/returns", { path: { order }, body, key });
    },
    affects: AFFECTS,
    done,
  });
  return (
    <Space wrap>
      {sale.deeds.includes("hand_over") && (
        <Popconfirm
          title={t("sale.sureHandOver")}
          okText={t("sale.deed.hand_over")}
          cancelText={t("deciding.cancel")}
          onConfirm={() => handOver.mutate(null)}
        >
          <Button type="primary" loading={handOver.isPending}>
            {t("sale.deed.hand_over")}
          </Button>
        </Popconfirm>
      )}
      {sale.deeds.includes("take_back") && (
        <Button onClick={() => setAsked("take_back")}>{t("sale.deed.take_back")}</Button>
      )}
      {sale.deeds.includes("cancel") && (
        <Button danger onClick={() => setAsked("cancel")}>
          {t("sale.deed.cancel")}
        </Button>
      )}
      <Modal
        open={asked !== undefined}
        title={asked && t(`sale.deed.${asked}`)}
        onCancel={() => setAsked(undefined)}
        footer={null}
        destroyOnHidden
      >
        <Form<Back>
          layout="vertical"
          initialValues={{ units: sale.may_return }}
          onFinish={(entered) =>
            asked === "cancel" ? cancel.mutate({ reason: entered.reason }) : takeBack.mutate(entered)
          }
        >
          {asked === "cancel" && <p>{t("sale.aboutCancel")}</p>}
          {asked === "take_back" && <BackLines sale={sale} />}
          <Form.Item
            name="reason"
            label={t("deciding.reason")}
            rules={[{ required: true, message: t("deciding.reasonNeeded") }]}
          >
            <Input.TextArea rows={2} maxLength={2000} />
          </Form.Item>
          <Button
            type="primary"
            danger={asked === "cancel"}
            htmlType="submit"
            loading={cancel.isPending || takeBack.isPending}
          >
            {t("deciding.confirm")}
          </Button>
        </Form>
      </Modal>
    </Space>
  );
}

/** How many units of each line come back. */
function BackLines({ sale }: { sale: Sale }) {
  const { t } = useTranslation();
  return (
    <>
      <p>{t("sale.aboutBack")}</p>
      {sale.lines
        .filter((line) => sale.may_return[line.line])
        .map((line) => (
          <Form.Item
            key={line.line}
            name={["units", String(line.line)]}
            label={t("sale.backUnits", { item: line.name, most: sale.may_return[line.line] })}
          >
            <InputNumber min={0} max={sale.may_return[line.line]} precision={0} className="wide" />
          </Form.Item>
        ))}
    </>
  );
}

type CodeProps = { sale: Sale; shipment: Schemas["ShipmentTold"] };

/** A new code to fetch a shipment with, for who answers the shopper; told this once. */
export function ShowCode({ sale, shipment }: CodeProps) {
  const { t } = useTranslation();
  const { modal } = App.useApp();
  const may = useMay();
  const draw = useCommand({
    run: () =>
      post("/api/shop/orders/{order}/shipments/{shipment}/code", {
        path: { order: sale.id, shipment: shipment.id },
      }),
    affects: ["sales"],
    done: ({ code }) =>
      void modal.info({
        title: t("sale.code", { number: shipment.number }),
        content: <strong className="pick-code">{code}</strong>,
        okText: t("sale.codeOk"),
      }),
  });
  const fetchable = shipment.state === "picking" || shipment.state === "ready";
  if (shipment.method !== "pickup" || !fetchable || !may("sales.place")) return null;
  return (
    <div>
      <Popconfirm
        title={t("sale.sureCode")}
        okText={t("sale.newCode")}
        cancelText={t("deciding.cancel")}
        onConfirm={() => draw.mutate(null)}
      >
        <button type="button" className="link">
          {t("sale.newCode")}
        </button>
      </Popconfirm>
    </div>
  );
}
