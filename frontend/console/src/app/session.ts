/** Who is signed in, and what they may do. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { get, keepCsrf, post, remove } from "../api/client";
import type { Schemas } from "../api/types";
import { language } from "../words";

export type Session = Schemas["Session"];

const KEY = ["session"];

export function useSession() {
  const asked = useQuery({
    queryKey: KEY,
    queryFn: () => get("/api/session"),
    staleTime: Infinity,
  });
  const token = asked.data?.csrf;
  useEffect(() => keepCsrf(token), [token]);
  return asked;
}

/** Whether the signed-in person may do this; the server checks it again. */
export function useMay(): (action: string) => boolean {
  const { data } = useSession();
  return (action) => data?.actions.includes(action) ?? false;
}

/** Sign in, out, or make the first account; each answers with the session it leads to. */
export function useSigning() {
  const cache = useQueryClient();
  const take = (session: Session) => {
    keepCsrf(session.csrf);
    cache.setQueryData(KEY, session);
  };
  return {
    signIn: async (body: { name: string; password: string; code?: string }) =>
      take(await post("/api/session", { body })),
    makeFirst: async (body: { name: string; password: string }) =>
      take(await post("/api/first-account", { body: { ...body, language: language() } })),
    signOut: async () => {
      take(await remove("/api/session"));
      // Nothing of one person stays for the next; the session itself is being watched.
      cache.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
    },
  };
}
