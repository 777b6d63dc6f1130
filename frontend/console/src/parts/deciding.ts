/** Deciding: approve, edit, reject, put off; each tells what came of it and refreshes the lists. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useTranslation } from "react-i18next";
import { post } from "../api/client";

type Changed = { changed: number; orders?: string[] };
export type Deed =
  | { what: "approve"; numbers: number[]; reason: string }
  | { what: "reject"; numbers: number[]; reason: string }
  | { what: "snooze"; numbers: number[]; reason: string; until: string }
  | { what: "edit"; number: number; quantity: number; reason: string };

const AFFECTED = ["workbench", "line", "decisions", "decision", "exceptions", "cockpit", "orders"];

export function useDeciding() {
  const { t } = useTranslation();
  const { message } = App.useApp();
  const cache = useQueryClient();
  return useMutation({
    mutationFn: (deed: Deed): Promise<Changed> => {
      if (deed.what === "edit") {
        const { number, quantity, reason } = deed;
        return post("/api/decisions/{number}/edit", {
          path: { number },
          body: { quantity, reason },
        });
      }
      const { what, ...body } = deed;
      return post(`/api/decisions/${what}`, { body });
    },
    onSuccess: ({ changed, orders }) => {
      void message.success(
        t("deciding.done", { count: changed }) +
          (orders?.length ? ` ${t("deciding.orders", { orders: orders.join(", ") })}` : ""),
      );
      for (const key of AFFECTED) void cache.invalidateQueries({ queryKey: [key] });
    },
    onError: (error: Error & { remedy?: string }) =>
      void message.error([error.message, error.remedy].filter(Boolean).join(" "), 8),
  });
}
