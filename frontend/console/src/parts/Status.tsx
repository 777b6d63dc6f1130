/** The state of a decision, order or job, in words and a colour that repeats them. */
import { Tag } from "antd";
import { useTranslation } from "react-i18next";

const COLOURS: Record<string, string> = {
  approved: "green",
  executed: "green",
  measured: "cyan",
  edited: "blue",
  executing: "blue",
  rejected: "red",
  failed: "red",
  snoozed: "gold",
};

export function Status({ status }: { status: string }) {
  const { t } = useTranslation();
  return <Tag color={COLOURS[status]}>{t(`status.${status}`, { defaultValue: status })}</Tag>;
}
