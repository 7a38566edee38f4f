/** When a call is repeated: only where nothing is done twice, never sooner than told, with jitter, and not for ever. */

const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "PUT", "DELETE"]); // RFC 9110 section 9.2.2
const MAY_PASS = new Set([408, 429, 503, 504]);
const REFUSED_UNDONE = 429;
const UNDER_WAY = 409; // with Retry-After: the same call is being worked on

/** `attempts` and `within` (seconds) in all; `longestPause`: who is told to wait longer than that gives up at once. */
export interface Retries {
  attempts: number;
  within: number;
  firstPause: number;
  longestPause: number;
  jitter: number;
}

export const RETRIES: Retries = { attempts: 5, within: 60, firstPause: 0.25, longestPause: 20, jitter: 0.25 };

/** Seconds before the attempt after this one (from 1); undefined to give up. `told`: Retry-After; `dice`: 0 to 1. */
export function pause(retries: Retries, attempt: number, told: number | undefined, dice: number): number | undefined {
  if (attempt >= retries.attempts) return undefined;
  if (told !== undefined) return told <= retries.longestPause ? told * (1 + retries.jitter * dice) : undefined;
  const grown = Math.min(retries.longestPause, retries.firstPause * 2 ** (attempt - 1));
  return grown * (1 - retries.jitter + retries.jitter * dice);
}

/** Whether the same call may be sent again. `status`: undefined where no answer came. */
export function mayRepeat(status: number | undefined, method: string, keyed: boolean, told: number | undefined): boolean {
  const harmless = keyed || IDEMPOTENT.has(method);
  if (status === undefined) return harmless;
  if (status === UNDER_WAY) return keyed && told !== undefined;
  return harmless ? MAY_PASS.has(status) : status === REFUSED_UNDONE;
}

/** Seconds, of delay-seconds or an HTTP-date (RFC 9110 section 10.2.3). */
export function retryAfter(value: string | null, now: number = Date.now()): number | undefined {
  if (value === null || value === "") return undefined;
  if (/^[0-9]+$/.test(value)) return Number(value.slice(0, 9));
  const then = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(then) ? undefined : Math.max(0, (then - now) / 1000);
}
