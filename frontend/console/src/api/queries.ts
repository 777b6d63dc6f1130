/** The one cache of what the server said. */
import { MutationCache, QueryCache, QueryClient } from "@tanstack/react-query";
import { Problem } from "./client";

export const SESSION = ["session"];

/** Whose session is over is asked to sign in, whatever page noticed it. */
const onError = (error: Error) => {
  if (error instanceof Problem && error.code === "signed_out")
    void queries.invalidateQueries({ queryKey: SESSION });
};

export const queries: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      // What the caller got wrong stays wrong; a cut line is tried again.
      retry: (tries, error) => tries < 2 && !(error instanceof Problem && error.status < 500),
    },
  },
});
