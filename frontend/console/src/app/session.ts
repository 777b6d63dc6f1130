/** Who is signed in, and what they may do. */
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { get, keepCsrf, post, remove } from "../api/client";
import { SESSION } from "../api/queries";
import type { Schemas } from "../api/types";
import { language } from "../words";

export type Session = Schemas["Session"];

export function useSession() {
  const asked = useQuery({
    queryKey: SESSION,
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
  const take = async (session: Session) => {
    await cache.cancelQueries({ queryKey: SESSION }); // what was asked before tells of before
    keepCsrf(session.csrf);
    cache.setQueryData(SESSION, session);
    // Nothing of one person stays for the next; the session itself is being watched.
    cache.removeQueries({ predicate: (query) => query.queryKey[0] !== SESSION[0] });
  };
  return {
    signIn: async (body: { name: string; password: string; code?: string }) =>
      await take(await post("/api/session", { body })),
    makeFirst: async (body: { name: string; password: string }) =>
      await take(await post("/api/first-account", { body: { ...body, language: language() } })),
    signOut: async () => await take(await remove("/api/session")),
  };
}
