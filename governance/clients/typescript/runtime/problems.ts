/** What can go wrong with a call: a problem that was answered (RFC 9457), or no answer that could be used. */

export class ClientError extends Error {
  override name = "ClientError";
}

/** No answer came. What was asked for may have been done, unless it only reads: ask again under the same key. */
export class Unreachable extends ClientError {
  override name = "Unreachable";
}

/** The answer is not what the contract promises. */
export class BadAnswer extends ClientError {
  override name = "BadAnswer";
}

/** The token endpoint gives no token to this client. */
export class TokenRefused extends ClientError {
  override name = "TokenRefused";
}

export interface FieldError {
  pointer?: string;
  detail?: string;
}

/** A refusal or failure that the API tells of. `retryAfter`: seconds. `fix`: what to change. */
export class Problem extends ClientError {
  override name = "Problem";
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly fix: string | undefined;
  readonly errors: readonly FieldError[];
  readonly correlationId: string;

  constructor(
    readonly status: number,
    readonly body: Readonly<Record<string, unknown>>,
    correlationId: string,
    readonly retryAfter: number | undefined,
  ) {
    super([status, text(body.title), text(body.detail)].filter((part) => part !== "").join(" "));
    this.type = text(body.type) || "about:blank";
    this.title = text(body.title);
    this.detail = text(body.detail);
    this.fix = text(body.fix) || undefined;
    this.errors = Array.isArray(body.errors) ? (body.errors as FieldError[]) : [];
    this.correlationId = text(body.correlation_id) || correlationId;
  }

  /** The last part of the type: `not-found`. */
  get kind(): string {
    return this.type.split(/[:/]/).pop() ?? "";
  }
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}
