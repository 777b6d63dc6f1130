/** Server-sent events: what changed is asked anew, what is news goes to the bell. */
import { useQueryClient } from "@tanstack/react-query";
import { createContext, use, useEffect, useState } from "react";

export type Job = {
  id: string;
  what: string;
  step: string;
  done: number;
  total: number;
  state: string;
  error: string;
};
export type News = { id: number; at: Date; kind: "decisions" | "plan" | "job"; told: Told };
type Told = { changed?: number[]; by?: string; status?: string; as_of?: string } & Partial<Job>;

export type Live = { jobs: Job[]; news: News[]; unread: number; read: () => void };
export const LiveContext = createContext<Live>({
  jobs: [],
  news: [],
  unread: 0,
  read: () => undefined,
});
export const useLive = () => use(LiveContext);

const KEPT = 50;
const ENDED = new Set(["done", "failed"]);

/** Listen while signed in. The browser connects anew by itself when the line is cut. */
export function useListening(signedIn: boolean): Live {
  const cache = useQueryClient();
  const [jobs, setJobs] = useState<Job[]>([]);
  const [news, setNews] = useState<News[]>([]);
  const [unread, setUnread] = useState(0);
  useEffect(() => {
    if (!signedIn) return;
    const source = new EventSource("/api/events");
    let count = 0;
    const add = (kind: News["kind"], told: Told) => {
      count += 1;
      const one = { id: count, at: new Date(), kind, told };
      setNews((before) => [one, ...before].slice(0, KEPT));
      setUnread((before) => before + 1);
    };
    const on = (name: News["kind"], take: (told: Told) => void) =>
      source.addEventListener(name, (event) => take(JSON.parse((event as MessageEvent).data)));
    on("job", (told) => {
      const job = told as Job;
      setJobs((before) => [job, ...before.filter((other) => other.id !== job.id)].slice(0, KEPT));
      if (!ENDED.has(job.state)) return;
      add("job", told);
      void cache.invalidateQueries({ queryKey: ["jobs"] });
      for (const key of ["imports", "forecast"]) void cache.invalidateQueries({ queryKey: [key] });
    });
    on("decisions", (told) => {
      add("decisions", told);
      for (const key of ["workbench", "line", "decisions", "exceptions", "cockpit", "orders"])
        void cache.invalidateQueries({ queryKey: [key] });
    });
    on("plan", (told) => {
      add("plan", told);
      void cache.invalidateQueries();
    });
    return () => source.close();
  }, [signedIn, cache]);
  return { jobs, news, unread, read: () => setUnread(0) };
}
