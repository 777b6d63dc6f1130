/** The proposal of a row; edited in its place, with the reason that an edit needs. */
import { Button, Form, Input, InputNumber, Popover } from "antd";
import { useTranslation } from "react-i18next";
import type { Line } from "../../api/types";
import { useDeciding } from "../../parts/deciding";
import type { useFormat } from "../../parts/format";

type Props = { row: Line; format: ReturnType<typeof useFormat>; open: boolean; end: () => void };

export function EditQuantity({ row, format, open, end }: Props) {
  const { decided, quantity } = row;
  const changed = decided !== null && decided !== quantity;
  const shown = (
    <span className="proposal">
      {changed && <del>{format.quantity(quantity)}</del>}{" "}
      <strong>{format.quantity(decided ?? quantity)}</strong>
    </span>
  );
  if (!open || row.number === null) return shown;
  return (
    <Popover open placement="bottomRight" content={<Editor row={row} end={end} />}>
      {shown}
    </Popover>
  );
}

function Editor({ row, end }: { row: Line; end: () => void }) {
  const { t } = useTranslation();
  const deciding = useDeciding();
  const save = (entered: { quantity: number; reason: string }) =>
    deciding.mutate({ what: "edit", number: row.number!, ...entered }, { onSuccess: end });
  return (
    <Form
      layout="vertical"
      className="edit-quantity"
      initialValues={{ quantity: row.decided ?? row.quantity, reason: "" }}
      onFinish={save}
      onKeyDown={(event) => event.key === "Escape" && end()}
    >
      <Form.Item name="quantity" label={t("deciding.quantity")} rules={[{ required: true }]}>
        <InputNumber min={0} precision={0} autoFocus className="wide" />
      </Form.Item>
      <Form.Item
        name="reason"
        label={t("deciding.reason")}
        rules={[{ required: true, message: t("deciding.reasonNeeded") }]}
      >
        <Input />
      </Form.Item>
      <Button type="primary" htmlType="submit" loading={deciding.isPending}>
        {t("deciding.saveEdit")}
      </Button>{" "}
      <Button onClick={end}>{t("deciding.cancel")}</Button>
    </Form>
  );
}
