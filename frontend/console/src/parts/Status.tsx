/** The state of a decision in words, and a colour that repeats them. */
import { Tag } from "antd";
import { useTranslation } from "react-i18next";

export type Look = "good" | "note" | "bad" | "warn";

const LOOKS: Record<string, Look> = {
  approved: "good",
  executed: "good",
  measured: "good",
  edited: "note",
  executing: "note",
  rejected: "bad",
  failed: "bad",
  snoozed: "warn",
};

/** Where something stands, in words that the caller has, and a colour that repeats them. */
export function Standing({ look, children }: { look?: Look; children: string }) {
  return <Tag className={`status-${look ?? "plain"}`}>{children}</Tag>;
}

const WAITING = new Set(["proposed", "snoozed"]);

/** Whether a decision waits though its validity is over. */
export const isOver = ({ status, deeds }: { status?: string | null; deeds: string[] }) =>
  WAITING.has(status ?? "") && !deeds.includes("approve");

/** `over`: it waits, but its validity is over, and nobody can approve it any more. */
export function Status({ status, over = false }: { status: string; over?: boolean }) {
  const { t } = useTranslation();
  const shown = over ? "over" : status;
  return <Standing look={LOOKS[shown]}>{t(`status.${shown}`, { defaultValue: shown })}</Standing>;
}
