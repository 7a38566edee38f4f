/** Calls are made here: one key and one correlation id a call, however often it is sent; problems are thrown. */

import { BadAnswer, Problem, Unreachable } from "./problems.js";
import type { Said } from "./shapes.js";
import type { TokenSource } from "./tokens.js";
import { mayRepeat, pause, type Retries, retryAfter } from "./waiting.js";

/** One operation. `raw`: its answer is taken as the bytes that come. `joined`: lists that go into one value. */
export interface Endpoint {
  method: string;
  path: string;
  keyed?: boolean;
  raw?: boolean;
  media?: string;
  joined?: readonly string[];
}

interface Handed extends Said {
  path?: unknown;
  query?: unknown;
  header?: unknown;
  body?: unknown;
}

/** `timeout`: seconds for one attempt. */
export interface Connection {
  baseUrl: string;
  tokens: TokenSource | undefined;
  retries: Retries;
  timeout: number;
  send: typeof fetch;
}

interface Sent {
  url: URL;
  headers: Headers;
  body: BodyInit | undefined;
  signal: AbortSignal | undefined;
}

export class Session {
  constructor(private readonly at: Connection) {}

  /** Throws Problem, Unreachable, BadAnswer and TokenRefused. */
  async call<A>(endpoint: Endpoint, given: Handed): Promise<A> {
    return (await this.#insist(endpoint, this.#sent(endpoint, given))).answer as A;
  }

  /** Every page, by the Link to the next or by its cursor. */
  async *pages<A>(endpoint: Endpoint, given: Handed): AsyncGenerator<A, void, undefined> {
    const sent = this.#sent(endpoint, given);
    const seen = new Set<string>();
    for (;;) {
      const { answer, link } = await this.#insist(endpoint, sent);
      yield answer as A;
      const next = following(sent.url, answer, link);
      if (next === undefined) return;
      if (seen.has(next.href) || next.origin !== sent.url.origin) {
        throw new BadAnswer(`the next page of ${endpoint.path} is one that was read, or elsewhere: ${next.href}`);
      }
      seen.add(next.href);
      sent.url = next;
    }
  }

  #sent(endpoint: Endpoint, given: Handed): Sent {
    const path = endpoint.path.replace(/\{([^{}/]+)\}/g, (_, name: string) => segment(name, entries(given.path).get(name)));
    const url = new URL(path, this.at.baseUrl);
    for (const [name, value] of entries(given.query)) {
      const several = Array.isArray(value) && !endpoint.joined?.includes(name) ? value : [value];
      for (const one of several) url.searchParams.append(name, String(one));
    }
    const headers = new Headers({ Accept: endpoint.raw ? "*/*" : "application/json, application/problem+json" });
    for (const [name, value] of entries(given.header)) headers.set(name, String(value));
    headers.set("X-Correlation-Id", given.correlationId ?? crypto.randomUUID());
    if (endpoint.keyed) headers.set("Idempotency-Key", given.idempotencyKey ?? crypto.randomUUID());
    const media = endpoint.media ?? "application/json";
    if (given.body !== undefined) headers.set("Content-Type", media);
    const json = media === "application/json" || media.endsWith("+json");
    const body = given.body === undefined || !json ? (given.body as BodyInit | undefined) : JSON.stringify(given.body);
    return { url, headers, body, signal: given.signal };
  }

  async #insist(endpoint: Endpoint, sent: Sent): Promise<{ answer: unknown; link: string | null }> {
    const ends = Date.now() + this.at.retries.within * 1000;
    for (let attempt = 1; ; attempt++) {
      const response = await this.#proven(endpoint, sent).catch((error: unknown) => unanswered(error, sent));
      if (response instanceof Response && response.ok) {
        return { answer: await read(endpoint, response), link: response.headers.get("Link") };
      }
      const status = response instanceof Response ? response.status : undefined;
      const told = response instanceof Response ? retryAfter(response.headers.get("Retry-After")) : undefined;
      const seconds = pause(this.at.retries, attempt, told, Math.random());
      const again = mayRepeat(status, endpoint.method, endpoint.keyed ?? false, told);
      if (!again || seconds === undefined || Date.now() + seconds * 1000 > ends) {
        throw response instanceof Response ? await problem(response, told) : response;
      }
      await new Promise((resume) => setTimeout(resume, seconds * 1000));
    }
  }

  /** Sent with a token; a refused token is replaced once, for nothing was done. */
  async #proven(endpoint: Endpoint, sent: Sent): Promise<Response> {
    for (let again = true; ; again = false) {
      const token = this.at.tokens ? await this.at.tokens.token(this.at.baseUrl, this.at.send) : "";
      if (token !== "") sent.headers.set("Authorization", `Bearer ${token}`);
      const deadline = AbortSignal.timeout(this.at.timeout * 1000);
      const signal = sent.signal ? AbortSignal.any([deadline, sent.signal]) : deadline;
      const { url, headers, body } = sent;
      const init = { method: endpoint.method, headers, signal, redirect: "manual" as const };
      const response = await this.at.send(url, body === undefined ? init : { ...init, body });
      if (!(again && response.status === 401 && this.at.tokens?.refused(token))) return response;
    }
  }
}

/** What is to be thrown in the end where no answer came; what the caller called off is thrown at once. */
function unanswered(error: unknown, sent: Sent): Unreachable {
  const network = error instanceof TypeError || (error instanceof Error && error.name === "TimeoutError");
  if (!network || sent.signal?.aborted) throw error;
  return new Unreachable(`${sent.url.pathname} was not answered`, { cause: error });
}

async function read(endpoint: Endpoint, response: Response): Promise<unknown> {
  if (endpoint.raw) return response.arrayBuffer();
  const text = await response.text();
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new BadAnswer(`${endpoint.method} ${endpoint.path} answered something that is no JSON`, { cause: error });
  }
}

async function problem(response: Response, told: number | undefined): Promise<Problem> {
  const said: unknown = await response.json().catch(() => undefined);
  const body = typeof said === "object" && said !== null ? (said as Record<string, unknown>) : { title: response.statusText };
  return new Problem(response.status, body, response.headers.get("X-Correlation-Id") ?? "", told);
}

function following(url: URL, answer: unknown, link: string | null): URL | undefined {
  const linked = link?.match(/<([^>]*)>\s*;[^,]*\brel="?next"?/)?.[1];
  if (linked !== undefined) return new URL(linked, url);
  const said = (answer ?? {}) as Record<string, unknown>;
  const cursor = said.next ?? said.next_cursor;
  if (typeof cursor !== "string" || cursor === "") return undefined;
  const next = new URL(url);
  next.searchParams.set("cursor", cursor);
  return next;
}

/** A value never becomes another path. */
function segment(name: string, value: unknown): string {
  const text = value === undefined ? "" : String(value);
  if (text === "" || text === "." || text === "..") throw new RangeError(`${name} cannot be ${JSON.stringify(text)}`);
  return encodeURIComponent(text);
}

function entries(said: unknown): Map<string, unknown> {
  const known = Object.entries((said ?? {}) as Record<string, unknown>);
  return new Map(known.filter(([, value]) => value !== undefined && value !== null));
}
