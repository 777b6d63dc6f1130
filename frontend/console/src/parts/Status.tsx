/** The state of a decision in words, and a colour that repeats them. */
import { Tag } from "antd";
import { useTranslation } from "react-i18next";

const LOOKS: Record<string, string> = {
  approved: "good",
  executed: "good",
  measured: "good",
  edited: "note",
  executing: "note",
  rejected: "bad",
  failed: "bad",
  snoozed: "warn",
};

export function Status({ status }: { status: string }) {
  const { t } = useTranslation();
  return (
    <Tag className={`status-${LOOKS[status] ?? "plain"}`}>
      {t(`status.${status}`, { defaultValue: status })}
    </Tag>
  );
}
