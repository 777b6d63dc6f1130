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

const WAITING = new Set(["proposed", "snoozed"]);

/** Whether a decision waits though its validity is over. */
export const isOver = ({ status, deeds }: { status?: string | null; deeds: string[] }) =>
  WAITING.has(status ?? "") && !deeds.includes("approve");

/** `over`: it waits, but its validity is over, and nobody can approve it any more. */
export function Status({ status, over = false }: { status: string; over?: boolean }) {
  const { t } = useTranslation();
  const shown = over ? "over" : status;
  return (
    <Tag className={`status-${LOOKS[shown] ?? "plain"}`}>
      {t(`status.${shown}`, { defaultValue: shown })}
    </Tag>
  );
}
