/** The HTTP API: typed by its OpenAPI document, failing with its problem documents. */
import i18n from "i18next";
import createClient from "openapi-fetch";
import type { paths } from "./schema";
import type { Schemas } from "./types";

const TYPE = "urn:sanhe:problem:";

/** A problem document (RFC 9457) of the server, with the place of the fault and its remedy. */
export class Problem extends Error {
  readonly status: number;
  readonly title: string;
  readonly place: string;
  readonly remedy: string;
  /** Its stable name, `core.errors.Code`; empty where the answer is not sanhe's. */
  readonly code: string;

  constructor(status: number, told: Partial<Schemas["Problem"]>) {
    super(told.detail || told.title || `HTTP ${status}`);
    this.status = status;
    this.title = told.title || `HTTP ${status}`;
    this.place = told.place ?? "";
    this.remedy = told.remedy ?? "";
    this.code = told.type?.startsWith(TYPE) ? told.type.slice(TYPE.length) : "";
  }
}

/** What went wrong in one line, in the reader's language, then as the server says it. */
export function inWords(error: Error): string {
  if (!(error instanceof Problem)) return error.message;
  return [inShort(error), error.message, error.remedy].filter(Boolean).join(" · ");
}

/** What a problem is called in the reader's language. */
export const inShort = ({ code, title }: Problem): string =>
  i18n.t(`problem.${code}`, { defaultValue: title });

type Verb = "get" | "post" | "put" | "patch" | "delete";
type With<V extends Verb> = {
  [P in keyof paths]: paths[P] extends { [K in V]: object } ? P : never;
}[keyof paths];
type Operation<P extends keyof paths, V extends Verb> = paths[P][V & keyof paths[P]];
type Json<R> = R extends { content: { "application/json": infer T } } ? T : undefined;
type Answer<O> = O extends { responses: infer R } ? Json<R[keyof R & (200 | 201 | 202 | 204)]> : never;
type Body<O> = O extends { requestBody: { content: { "application/json": infer T } } } ? T : never;

type Asked = {
  query?: object;
  /** The parts of the address in braces. */
  path?: Readonly<Record<string, string | number>>;
  /** The command's Idempotency-Key; see `parts/command`. */
  key?: string;
  signal?: AbortSignal;
};

const client = createClient<paths>({ baseUrl: window.location.origin });
let csrf = "";

/** Keep what has to accompany each write of this session. */
export function keepCsrf(token: string | null | undefined): void {
  csrf = token ?? "";
}

client.use({
  onRequest({ request }) {
    if (request.method !== "GET" && csrf) request.headers.set("X-CSRF-Token", csrf);
    return request;
  },
});

async function ask<T>(verb: Verb, path: string, asked: Asked & { body?: unknown }): Promise<T> {
  const { query, path: named, key, ...rest } = asked;
  const headers = key ? { "Idempotency-Key": key } : undefined;
  const { data, error, response } = await client.request(
    verb,
    path as never,
    { params: { query: filled(query), path: named }, headers, ...rest } as never,
  );
  if (error !== undefined || !response.ok) throw new Problem(response.status, error ?? {});
  return data as T;
}

/** What was left empty is not sent. */
function filled(query: object = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(query).filter(([, value]) => value !== undefined && value !== ""),
  );
}

export const get = <P extends With<"get">>(path: P, asked: Asked = {}) =>
  ask<Answer<Operation<P, "get">>>("get", path, asked);

export const remove = <P extends With<"delete">>(path: P, asked: Asked = {}) =>
  ask<Answer<Operation<P, "delete">>>("delete", path, asked);

export const post = <P extends With<"post">>(
  path: P,
  asked: Asked & { body?: Body<Operation<P, "post">> } = {},
) => ask<Answer<Operation<P, "post">>>("post", path, asked);

export const put = <P extends With<"put">>(
  path: P,
  asked: Asked & { body?: Body<Operation<P, "put">> },
) => ask<Answer<Operation<P, "put">>>("put", path, asked);

export const patch = <P extends With<"patch">>(
  path: P,
  asked: Asked & { body?: Body<Operation<P, "patch">> },
) => ask<Answer<Operation<P, "patch">>>("patch", path, asked);

/** Send a file; the answer is the job that takes it in. */
export const upload = (file: File): Promise<Schemas["JobRow"]> => {
  const body = new FormData();
  body.append("file", file, file.name);
  return ask("post", "/api/imports", { body });
};

/** What GET on an address answers. */
export type Got<P extends With<"get">> = Answer<Operation<P, "get">>;
export type Readable = With<"get">;

/** The address of a file with these filters, for a link. */
export function fileAddress(path: string, query: object): string {
  return `${path}?${new URLSearchParams(Object.entries(filled(query)).map(([name, value]) => [name, String(value)]))}`;
}
