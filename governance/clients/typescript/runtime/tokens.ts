/** Where a token comes from: taken once, kept until shortly before its end, taken anew when it is refused. */

import { TokenRefused, Unreachable } from "./problems.js";

const EARLY = 30; // seconds before its end at which a token is no longer used

/** `refused` is told of a token that a door did not accept; true if asking again may give another. */
export interface TokenSource {
  token(baseUrl: string, send: typeof fetch): Promise<string>;
  refused(token: string): boolean;
}

/** A token that somebody else takes care of. */
export class Fixed implements TokenSource {
  readonly #token: string;

  constructor(token: string) {
    this.#token = token;
  }

  token(): Promise<string> {
    return Promise.resolve(this.#token);
  }

  refused(): boolean {
    return false;
  }
}

/** Client credentials (RFC 6749 section 4.4). However many calls need a token, one asks for it. */
export class ClientCredentials implements TokenSource {
  readonly #url: string;
  readonly #proof: string;
  readonly #scopes: readonly string[];
  #kept = "";
  #ends = 0;
  #asking: Promise<string> | undefined;

  /** `url`: absolute, or below the base URL of the client. No `scopes`: all that the client may have. */
  constructor(url: string, clientId: string, secret: string, scopes: readonly string[] = []) {
    this.#url = url;
    this.#scopes = scopes;
    this.#proof = btoa(`${form(clientId)}:${form(secret)}`); // RFC 6749 section 2.3.1
  }

  async token(baseUrl: string, send: typeof fetch): Promise<string> {
    if (this.#kept !== "" && Date.now() < this.#ends) return this.#kept;
    this.#asking ??= this.#take(baseUrl, send).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  refused(token: string): boolean {
    if (token === this.#kept) this.#kept = "";
    return true;
  }

  async #take(baseUrl: string, send: typeof fetch): Promise<string> {
    const body = new URLSearchParams({ grant_type: "client_credentials" });
    if (this.#scopes.length > 0) body.set("scope", this.#scopes.join(" "));
    let answer: Response;
    try {
      answer = await send(new URL(this.#url, baseUrl), {
        method: "POST",
        body,
        headers: { Authorization: `Basic ${this.#proof}`, Accept: "application/json" },
      });
    } catch (error) {
      throw new Unreachable(`the token endpoint ${this.#url} does not answer`, { cause: error });
    }
    const said = (await answer.json().catch(() => ({}))) as Record<string, unknown>;
    if (!answer.ok || typeof said.access_token !== "string") {
      const why = said.error_description ?? said.error ?? "it gives no token";
      throw new TokenRefused(`${this.#url} answered ${answer.status}: ${String(why)}`);
    }
    const lives = typeof said.expires_in === "number" ? said.expires_in : 60;
    this.#kept = said.access_token;
    this.#ends = Date.now() + (lives - Math.min(EARLY, lives / 2)) * 1000;
    return this.#kept;
  }
}

function form(value: string): string {
  return new URLSearchParams([["", value]]).toString().slice(1);
}
