/**
 * Qlik Cloud impersonation tokens from the tokencached daemon on this machine.
 *
 * All times are in seconds.
 */

/** Whose token: by the identity provider's subject, or by the tenant's own user id. */
export type User =
  | { subject: string; userId?: undefined }
  | { userId: string; subject?: undefined };

/** Which of a user's tokens. */
export interface Which {
  /** The tenant's name in the daemon's configuration; the default one where it is left out. */
  tenant?: string;
  /** Scopes with spaces between; the tenant's own where it is left out. */
  scope?: string;
}

/** How long a call may take, and how it is cancelled. */
export interface Wait {
  /** 0 to 300; 10 where it is left out. */
  timeout?: number;
  /** Rejects the call with the signal's reason. What the daemon has begun goes on. */
  signal?: AbortSignal;
}

export interface TokenWishes {
  /** What must be left of the token; the daemon mints another where the cached one has less. */
  minTtl?: number;
  /** A cached token won't do. */
  noCache?: boolean;
}

export type TokenOptions = User & Which & TokenWishes & Wait;
export type InvalidateOptions = User &
  Which &
  Wait &
  (
    | { accessToken: string; tokenSha256?: undefined }
    | {
        /** 64 hexadecimal digits. */
        tokenSha256: string;
        accessToken?: undefined;
      }
  );
export type RevokeOptions = User & Which & Wait;
export type PrefetchOptions = (
  | { subjects: readonly string[]; userIds?: undefined }
  | { userIds: readonly string[]; subjects?: undefined }
) &
  Which &
  Wait;

/** A user's token. It shows neither in `console.log` nor in `JSON.stringify`. */
export class Token {
  private constructor();
  /** The bearer token: whoever has it is that user until it expires. */
  get accessToken(): string;
  /** `Bearer`. */
  readonly tokenType: string;
  /** Whole seconds left when the daemon answered. */
  readonly expiresIn: number;
  /** When it ends by the daemon's clock; for display. */
  readonly expiresAt: Date;
  /** What the tenant granted. */
  readonly scope: string;
  /** Where it came from; a later daemon may know more. */
  readonly source: 'cache' | 'tenant' | (string & {});
  /** It has less left than the daemon prefers, because minting another failed. */
  readonly stale: boolean;
  /** It has as much left as `minTtl` asked for; false where a new one would have no more. */
  readonly minTtlMet: boolean;
}

/** What the tenant said, where it refused; where it gave no answer, only a code for the reason. */
export interface Upstream {
  status?: number;
  code?: string;
  title?: string;
}

export type ErrorCode =
  | 'invalid_request'
  | 'unsupported_op'
  | 'forbidden'
  | 'unknown_tenant'
  | 'denied'
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'bad_upstream'
  | 'overloaded'
  | 'unreachable'
  | 'bad_reply'
  | 'closed'
  | (string & {});

/** Why a call got no answer. It never holds a token. */
export class TokenCacheError extends Error {
  constructor(code: ErrorCode, description: string, details?: { retryAfter?: number; upstream?: Upstream });
  /**
   * The daemon's code, or one of the client's own: `unreachable` (no daemon was there), `timeout` (no answer came
   * in the call's time), `bad_reply` (what came makes no sense), `closed` (the client was closed).
   */
  readonly code: ErrorCode;
  /** A sentence for people. */
  readonly description: string;
  /** When to ask again. */
  readonly retryAfter: number | undefined;
  readonly upstream: Upstream | undefined;
}

/** What the handler needs of a request; that of `node:http`, Express and Connect has it. */
export interface HandlerRequest {
  method?: string | undefined;
  headers: { readonly [name: string]: string | string[] | undefined };
}

/** What the handler needs of a response; that of `node:http`, Express and Connect has it. */
export interface HandlerResponse {
  readonly destroyed: boolean;
  writeHead(status: number, headers: Record<string, string | number>): unknown;
  end(text: string): unknown;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/** Whose token the handler answers with: a subject, a user with what else is wanted, or nobody (null or undefined). */
export type HandlerUser =
  | string
  | ((
      | { subject: string | null | undefined; userId?: undefined }
      | { userId: string | null | undefined; subject?: undefined }
    ) &
      Which &
      TokenWishes)
  | null
  | undefined;

/** One web address or several, of which the scheme, the host and the port count. */
export type Origin = string | URL | readonly (string | URL)[];

export class TokenCache {
  /** Makes a client, which connects when it is first asked. Throws TypeError or RangeError where an option is wrong. */
  constructor(options?: {
    /**
     * The daemon's socket: at most 107 bytes, with or without `unix://` in front. Where it is left out, that of
     * `TOKENCACHED_SOCKET`, unless it is empty; else that of the packaged daemon.
     */
    path?: string;
    /** Where `fetch` may send tokens: the tenant's own address, such as `https://your-tenant.eu.qlikcloud.com`. */
    origin?: Origin;
    /**
     * For how long a daemon that isn't there is waited for: 0 to 300; 2 where it is left out. After that, calls fail with
     * `unreachable` at once until it is there again.
     */
    restartGrace?: number;
  });

  /** A user's token. */
  token(options: TokenOptions): Promise<Token>;

  /**
   * Has tokens minted that will be needed: how many are under way, were there already, and are refused at present. Users
   * who don't fit into one request (1,000, or 64 KiB of ids) go in several, one after another. Where one of these fails, so
   * does the call, and what went before is minted all the same.
   */
  prefetch(options: PrefetchOptions): Promise<{ queued: number; cached: number; refused: number }>;

  /** Says that an API refused this very token, so that the next one asked for is another. */
  invalidate(options: InvalidateOptions): Promise<{ invalidated: boolean; retryAfter: number | undefined }>;

  /**
   * Logout: drops a user's tokens and revokes them at the tenant (`upstream`: whether that worked). Where the connection
   * broke and it was asked twice, `revoked` may be false because the first time did the work.
   */
  revoke(options: RevokeOptions): Promise<{ revoked: boolean; upstream: boolean }>;

  /** What the daemon is, and what this process may use of it. */
  hello(options?: Wait): Promise<{
    server: string;
    version: string;
    protocol: number;
    operations: string[];
    tenants: string[];
    maxLine: number;
  }>;

  /**
   * A handler for `node:http`, Express and Connect that answers POST with the bare token: what the function behind
   * `data-get-access-token` of qlik-embed needs. `user` finds who is signed in: a subject, or `{ userId }` for the tenant's
   * own user id.
   *
   * 401 where `user` finds nobody, 405 for other methods, 503 with `retry-after` where no token is available at
   * present. What waiting doesn't mend (`forbidden`: 403; `invalid_request`, `unknown_tenant`, `unsupported_op`: 500) is a
   * fault of the application or its configuration, and goes to `log`, which is `console.error` where it is left out. What
   * `user` throws goes to `next`, or is answered 500 without one.
   *
   * A page whose last token the tenant refused has to say so, with that token's SHA-256 (hex) in the request's header
   * `x-refused-token`, and is given another. Without the header it is given the cached token again.
   *
   * The handler doesn't know from which page a request comes: that is for the application to check, as for each POST.
   */
  accessTokenHandler<Request extends HandlerRequest>(
    user: (request: Request) => HandlerUser | Promise<HandlerUser>,
    options?: Which & TokenWishes & { timeout?: number; log?: (line: string) => void },
  ): (request: Request, response: HandlerResponse, next?: (error?: unknown) => void) => Promise<void>;

  /**
   * `fetch` with a user's token, which goes to the origins that were named and to no other: the call fails with
   * `invalid_request` for another URL, and a redirect elsewhere takes no token along. The origin of a client with several
   * tenants is named in each call.
   *
   * On 401 that very token is invalidated and the request sent once more with another; a body that is a stream can't be
   * sent twice, and the 401 is then the answer.
   */
  fetch(
    user: string | (User & Which & TokenWishes & { timeout?: number; origin?: Origin }),
    url: Parameters<typeof globalThis.fetch>[0],
    init?: Parameters<typeof globalThis.fetch>[1],
  ): ReturnType<typeof globalThis.fetch>;

  /** Ends the connection; calls that wait, and later ones, fail with `closed`. */
  close(): Promise<void>;
}
