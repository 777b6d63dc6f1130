/** Deciding: approve, edit, reject, put off; each tells what came of it and refreshes the lists. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useTranslation } from "react-i18next";
import { inWords, post } from "../api/client";
import type { Schemas } from "../api/types";

type Changed = Schemas["Changed"];
export type Decided =
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
    mutationFn: (deed: Decided): Promise<Changed> => {
      if (deed.what === "edit") {
        const { number, quantity, reason } = deed;
        return post("/api/decisions/{number}/edit", {
          path: { number },
          body: { quantity, reason },
        });
      }
      if (deed.what === "snooze") {
        const { numbers, reason, until } = deed;
        return post("/api/decisions/snooze", { body: { numbers, reason, until } });
      }
      const { numbers, reason } = deed;
      return post(
        deed.what === "approve" ? "/api/decisions/approve" : "/api/decisions/reject",
        { body: { numbers, reason } },
      );
    },
    onSuccess: ({ changed, orders }) => {
      void message.success(
        t("deciding.done", { count: changed }) +
          (orders?.length ? ` ${t("deciding.orders", { orders: orders.join(", ") })}` : ""),
      );
      for (const key of AFFECTED) void cache.invalidateQueries({ queryKey: [key] });
    },
    onError: (error) => void message.error(inWords(error), 8),
  });
}
