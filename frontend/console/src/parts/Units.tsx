/** A number of units with large keys beside it, for hands in a store. */
import { MinusOutlined, PlusOutlined } from "@ant-design/icons";
import { Button, InputNumber } from "antd";
import { useTranslation } from "react-i18next";

type Props = {
  label: string;
  value: number;
  most?: number;
  onChange: (value: number) => void;
};

export function Units({ label, value, most, onChange }: Props) {
  const { t } = useTranslation();
  const set = (next: number) => onChange(Math.max(0, Math.min(most ?? Infinity, next)));
  return (
    <div className="units" role="group" aria-label={label}>
      <Button
        size="large"
        icon={<MinusOutlined />}
        aria-label={t("units.less", { label })}
        disabled={value <= 0}
        onClick={() => set(value - 1)}
      />
      <InputNumber
        size="large"
        controls={false}
        min={0}
        max={most}
        precision={0}
        value={value}
        aria-label={label}
        inputMode="numeric"
        onChange={(next) => set(next ?? 0)}
      />
      <Button
        size="large"
        icon={<PlusOutlined />}
        aria-label={t("units.more", { label })}
        disabled={most !== undefined && value >= most}
        onClick={() => set(value + 1)}
      />
    </div>
  );
}
