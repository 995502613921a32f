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
   * The daemon's code, or one of the client's own: `unreachable` (no daemon was there in the call's time), `timeout` (no
   * answer in it), `bad_reply` (what came makes no sense), `closed` (the client was closed).
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

/** Whose token the handler answers with: a subject, a user with what else is wanted, or nobody. */
export type HandlerUser = string | (User & Which & TokenWishes) | null | undefined;

export class TokenCache {
  /** @param options `path`: the daemon's socket; `TOKENCACHED_SOCKET` or the packaged one's where it is left out. */
  constructor(options?: { path?: string });

  /** A user's token. */
  token(options: TokenOptions): Promise<Token>;

  /** Has tokens minted that will be needed: how many are under way, were there already, and are refused at present. */
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
   * `data-get-access-token` of qlik-embed needs. 401 where `user` finds nobody, 405 for other methods, 503 with
   * `retry-after` where there is no token to be had. A page whose last token the tenant refused says so with that token's
   * SHA-256 (hex) in the request's header `x-refused-token`, and is given another. What `user` throws goes to `next`, or is answered 500 without one.
   *
   * It doesn't know from which page a request comes: that is for the application to check, as for each of its POSTs.
   */
  accessTokenHandler<Request extends HandlerRequest>(
    user: (request: Request) => HandlerUser | Promise<HandlerUser>,
    options?: Which & TokenWishes & { timeout?: number },
  ): (request: Request, response: HandlerResponse, next?: (error?: unknown) => void) => Promise<void>;

  /**
   * `fetch` with a user's token. On 401 that very token is invalidated and the request sent once more with another; a body
   * that is a stream can't be sent twice, and the 401 is then the answer.
   */
  fetch(
    user: string | (User & Which & TokenWishes & { timeout?: number }),
    url: Parameters<typeof globalThis.fetch>[0],
    init?: Parameters<typeof globalThis.fetch>[1],
  ): ReturnType<typeof globalThis.fetch>;

  /** Ends the connection; calls that wait, and later ones, fail with `closed`. */
  close(): Promise<void>;
}
