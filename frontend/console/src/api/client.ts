/** The HTTP API: typed by its OpenAPI document, failing with its problem documents. */
import createClient from "openapi-fetch";

/** A problem document (RFC 9457) of the server, with the place of the fault and its remedy. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly place?: string;
  readonly remedy?: string;

  constructor(status: number, told: Partial<Problem> & { detail?: string }) {
    super(told.detail ?? told.title ?? `HTTP ${status}`);
    this.status = status;
    this.title = told.title ?? `HTTP ${status}`;
    this.place = told.place ?? undefined;
    this.remedy = told.remedy ?? undefined;
  }
}

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Loose = any;
type Asked = { query?: object; path?: object; body?: unknown; signal?: AbortSignal };

const client: Loose = createClient<Loose>({ baseUrl: window.location.origin });
let csrf = "";

/** Keep what has to accompany each write of this session. */
export function keepCsrf(token: string | null | undefined): void {
  csrf = token ?? "";
}

client.use({
  onRequest({ request }: { request: Request }) {
    if (request.method !== "GET" && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
});

async function ask(method: string, path: string, { query, path: named, ...rest }: Asked) {
  const init = { params: { query: filled(query), path: named }, ...rest };
  const { data, error, response } = await client[method](path, init);
  if (error !== undefined || !response.ok) throw new Problem(response.status, error ?? {});
  return data;
}

/** What was left empty is not sent. */
function filled(query: object = {}): object {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined && value !== ""),
  );
}

export const get = <T = Loose>(path: string, asked: Asked = {}): Promise<T> =>
  ask("GET", path, asked);
export const post = <T = Loose>(path: string, asked: Asked = {}): Promise<T> =>
  ask("POST", path, asked);
export const put = <T = Loose>(path: string, asked: Asked = {}): Promise<T> =>
  ask("PUT", path, asked);
export const patch = <T = Loose>(path: string, asked: Asked = {}): Promise<T> =>
  ask("PATCH", path, asked);
export const remove = <T = Loose>(path: string, asked: Asked = {}): Promise<T> =>
  ask("DELETE", path, asked);

/** The address of a file with these filters, for a link. */
export function fileAddress(path: string, query: object): string {
  return `${path}?${new URLSearchParams(Object.entries(filled(query)))}`;
}
