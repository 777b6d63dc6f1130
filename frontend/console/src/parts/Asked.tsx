/** A question to the server and what is shown for each answer: waiting, failed, here. */
import { useQuery, type QueryKey } from "@tanstack/react-query";
import { Skeleton } from "antd";
import type { ReactNode } from "react";
import { get, Problem, type Got, type Readable } from "../api/client";
import { Failure } from "./Failure";

type Props<P extends Readable> = {
  queryKey: QueryKey;
  path: P;
  query?: object;
  /** Shown where the server has nothing of the kind yet (404). */
  none?: ReactNode;
  children: (told: Got<P>) => ReactNode;
};

export function Asked<P extends Readable>({ queryKey, path, query, none, children }: Props<P>) {
  const { data, error, refetch } = useQuery({
    queryKey,
    queryFn: ({ signal }) => get(path, { query, signal }),
    placeholderData: (before) => before,
  });
  if (error instanceof Problem && error.status === 404 && none) return none;
  if (error) return <Failure error={error} retry={() => void refetch()} />;
  return data === undefined ? <Skeleton active title={false} /> : children(data as Got<P>);
}
