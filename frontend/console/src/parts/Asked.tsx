/** A question to the server and what is shown for each answer: waiting, failed, here. */
import { useQuery, type QueryKey } from "@tanstack/react-query";
import { Skeleton } from "antd";
import type { ReactNode } from "react";
import { get } from "../api/client";
import { Failure } from "./Failure";

type Props<Told> = {
  queryKey: QueryKey;
  path: string;
  query?: object;
  named?: object;
  children: (told: Told) => ReactNode;
};

export function Asked<Told>({ queryKey, path, query, named, children }: Props<Told>) {
  const { data, error, refetch } = useQuery<Told>({
    queryKey,
    queryFn: ({ signal }) => get(path, { query, path: named, signal }),
    placeholderData: (before) => before,
  });
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return data === undefined ? <Skeleton active /> : children(data);
}
