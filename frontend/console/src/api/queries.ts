/** The one cache of what the server said. */
import { QueryClient } from "@tanstack/react-query";
import { Problem } from "./client";

export const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // What the caller got wrong stays wrong; a cut line is tried again.
      retry: (tries, error) => tries < 2 && !(error instanceof Problem && error.status < 500),
    },
  },
});
