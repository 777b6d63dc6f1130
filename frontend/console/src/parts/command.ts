/** A command that takes effect once, whatever the line does: it goes with an Idempotency-Key. */
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { App } from "antd";
import { useRef } from "react";
import { inWords, Problem } from "../api/client";

type Sent = { body: string; key: string };

/** 128 random bits in hex; `crypto.randomUUID` is missing where the page came by plain http. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

type Does<Given, Told> = {
  run: (given: Given, key: string) => Promise<Told>;
  /** The first parts of the query keys of what changes. */
  affects: string[];
  done?: (told: Told, given: Given) => void;
  failed?: (error: Error) => void;
};

/**
 * Send a command, tell a refusal, and ask anew for what it changed.
 *
 * What got no answer keeps its key: sent again it is the same command. What was answered, be it by
 * a refusal, is over, and the next is a new one.
 */
export function useCommand<Given, Told>({ run, affects, done, failed }: Does<Given, Told>) {
  const cache = useQueryClient();
  const { message } = App.useApp();
  const sent = useRef<Sent>(undefined);
  const keyOf = (given: Given): string => {
    const body = JSON.stringify(given ?? null);
    if (sent.current?.body !== body) sent.current = { body, key: newKey() };
    return sent.current.key;
  };
  return useMutation({
    mutationFn: (given: Given) => run(given, keyOf(given)),
    onSuccess: (told, given) => {
      sent.current = undefined;
      for (const key of affects) void cache.invalidateQueries({ queryKey: [key] });
      done?.(told, given);
    },
    onError: (error) => {
      if (error instanceof Problem && error.status < 500) sent.current = undefined;
      if (failed) failed(error);
      else void message.error(inWords(error), 8);
    },
  });
}
