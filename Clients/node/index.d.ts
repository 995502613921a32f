/**
 * Qlik Cloud access tokens for your users, from the tokencached daemon on this machine.
 *
 * All times are in seconds.
 */

/** A user: by the subject that the identity provider knows, or by the tenant's own ID. Each has 1 to 1,024 bytes. */
export type User =
  | { subject: string; userId?: undefined; client?: undefined }
  | { userId: string; subject?: undefined; client?: undefined };

/** An OAuth client of the tenant, by its name in the daemon's configuration. Its token is the client's own. */
export interface Client {
  client: string;
  subject?: undefined;
  userId?: undefined;
}

/** The tenant and the scopes of a token. */
export interface Which {
  /** The tenant's name in the daemon's configuration. By default it is the default tenant. */
  tenant?: string;
  /** The scopes, separated by spaces, in any order. By default they are those of the tenant's configuration. */
  scope?: string;
}

/** The time that a call may take, and its cancellation. */
export interface Wait {
  /** The time that the call may take, from 0 to 300. The default is 10. With 0 the call gets only what is cached. */
  timeout?: number;
  /**
   * Cancels the call, which rejects with the signal's reason. A mint that has begun goes on, and its token is cached.
   */
  signal?: AbortSignal;
}

/** The requirements that a token has to meet. */
export interface TokenRequirements {
  /**
   * The time for which the token must still be valid when the daemon answers, from 0 to 86,400. By default the daemon
   * prefers what its configuration says, and makes do with less if minting fails: see `stale`.
   */
  minTtl?: number;
  /** True if a cached token is not acceptable, such as for a user who has just been created. */
  noCache?: boolean;
}

/** The distributed trace that a call belongs to. */
export interface Trace {
  /**
   * The place in the trace, as the `traceparent` header of W3C Trace Context has it. The daemon's call to the tenant, if
   * there is one, becomes a part of the trace. The daemon ignores a text that is not valid.
   */
  traceparent?: string | undefined;
}

/** A token that the tenant's API has refused. The call reports it, and never ends with that very token. */
export type RefusedToken =
  | { refusedToken?: undefined; refusedTokenSha256?: undefined }
  | { refusedToken: string; refusedTokenSha256?: undefined }
  | {
      /** The SHA-256 of the token, as 64 hexadecimal digits. */
      refusedTokenSha256: string;
      refusedToken?: undefined;
    };

/** What the tenant knows of a user besides the subject. */
export interface Profile {
  /** The name for a user who is created, from 1 to 256 bytes. The name of a user who exists stays as it is. */
  name?: string | null | undefined;
  /** The e-mail address for a user who is created, from 1 to 256 bytes. That of a user who exists stays as it is. */
  email?: string | null | undefined;
  /**
   * The user's groups, up to 100, among those that the daemon's configuration lets applications assign. Others of those
   * are taken away, and all other groups stay. Without a list no group changes.
   */
  groups?: readonly string[] | null | undefined;
}

export type TokenOptions = (User | Client) & Which & TokenRequirements & RefusedToken & Wait & Trace;
export type ProvisionOptions = { subject: string; tenant?: string } & Profile & Wait;
export type InvalidateOptions = (User | Client) &
  Which &
  Wait &
  (
    | { accessToken: string; tokenSha256?: undefined }
    | {
        /** The SHA-256 of the token, as 64 hexadecimal digits. */
        tokenSha256: string;
        accessToken?: undefined;
      }
  );
export type RevokeOptions = (User | Client) &
  Which &
  Wait &
  Trace & {
    /**
     * True if all of the user's tokens are revoked at the tenant, those that were minted elsewhere too. It is not
     * possible for a client.
     */
    everywhere?: boolean;
  };
export type PrefetchOptions = (
  | { subjects: readonly string[]; userIds?: undefined; clients?: undefined }
  | { userIds: readonly string[]; subjects?: undefined; clients?: undefined }
  | { clients: readonly string[]; subjects?: undefined; userIds?: undefined }
) &
  Which &
  Wait &
  Trace;

/**
 * A user's access token and what the daemon says about it. Neither `console.log` nor `JSON.stringify` shows the token.
 */
export class Token {
  private constructor();
  /** The bearer token. Whoever has it can act as that user until it expires. */
  get accessToken(): string;
  /** `Bearer`. */
  readonly tokenType: string;
  /** The time that was left when the daemon answered, in whole seconds, rounded down. */
  readonly expiresIn: number;
  /** The time of its end by the daemon's wall clock. It is for display: use `expiresIn` to decide. */
  readonly expiresAt: Date;
  /** The scopes that the tenant granted, separated by spaces. */
  readonly scope: string;
  /** `tenant` if it was minted during this call. A later daemon may name other sources. */
  readonly source: 'cache' | 'tenant' | (string & {});
  /** True if the token has less left than the daemon prefers, because minting another one failed. */
  readonly stale: boolean;
  /** True if the token has as much left as `minTtl` asked for. False if a new token would not have more. */
  readonly minTtlMet: boolean;
}

/**
 * The tenant's own words about a failure. If the tenant did not answer, there is only a code for the reason. If the user
 * may not be used, the code is `disabled` or `deleted`, also without a status.
 */
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
  | 'conflict'
  | 'rate_limited'
  | 'unavailable'
  | 'timeout'
  | 'bad_upstream'
  | 'overloaded'
  | 'unreachable'
  | 'bad_reply'
  | 'closed'
  | (string & {});

/** The reason why a call failed. It never contains a token. */
export class TokenCacheError extends Error {
  constructor(code: ErrorCode, description: string, details?: { retryAfter?: number; upstream?: Upstream });
  /**
   * The daemon's code, or one of the client's own: `unreachable` (no daemon could be reached), `timeout` (the daemon
   * did not answer in time), `bad_reply` (its reply is malformed), `closed` (the client was closed) and
   * `invalid_request` (the request can't be written as a line of the protocol).
   */
  readonly code: ErrorCode;
  /** A sentence for a log. */
  readonly description: string;
  /** The time after which another attempt makes sense, or undefined if the daemon gives none. */
  readonly retryAfter: number | undefined;
  /** The tenant's own words, if the tenant is the cause. */
  readonly upstream: Upstream | undefined;
}

/** The part of a request that the handler needs, as in `node:http`, Express and Connect. */
export interface HandlerRequest {
  method?: string | undefined;
  headers: { readonly [name: string]: string | string[] | undefined };
}

/** The part of a response that the handler needs, as in `node:http`, Express and Connect. */
export interface HandlerResponse {
  readonly destroyed: boolean;
  writeHead(status: number, headers: Record<string, string | number>): unknown;
  end(text: string): unknown;
  once(event: 'close', listener: () => void): unknown;
  off(event: 'close', listener: () => void): unknown;
}

/**
 * The user for whom the handler gets a token: a subject, a user with requirements, or nobody (null or undefined). A user
 * with a name, an e-mail address or groups is provisioned.
 */
export type HandlerUser =
  | string
  | ((
      | ({ subject: string | null | undefined; userId?: undefined } & Profile)
      | { userId: string | null | undefined; subject?: undefined; name?: undefined; email?: undefined; groups?: undefined }
    ) &
      Which &
      TokenRequirements)
  | null
  | undefined;

/** One URL or several, of which only the scheme, the host and the port count. */
export type Origin = string | URL | readonly (string | URL)[];

/**
 * A client of the daemon. Make one for the process: all callers share its connections.
 *
 * Every call ends: with its result, with a `TokenCacheError`, at its timeout, or with the reason of its signal.
 */
export class TokenCache {
  /**
   * Creates a client, which connects when the first call is made. Throws a TypeError or RangeError if an option is
   * wrong.
   */
  constructor(options?: {
    /**
     * The path of the daemon's socket, 1 to 107 bytes, with or without `unix://` in front. By default it is that of
     * `TOKENCACHED_SOCKET` unless it is empty, otherwise `/run/tokencached/tokencached.sock`.
     */
    path?: string;
    /**
     * The URL of the tenant, such as `https://your-tenant.eu.qlikcloud.com`, or several: the only origins to which `fetch`
     * and the auth module for `@qlik/api` send tokens.
     */
    origin?: Origin;
    /**
     * The time for which calls wait for a daemon that isn't there, from 0 to 300. The default is 2. When it has passed,
     * calls fail at once with `unreachable` until the daemon is there again.
     */
    restartGrace?: number;
  });

  /** The origins that the constructor was given. */
  get origins(): string[];

  /**
   * Gets the token of a user or a client, from the daemon's cache or by a call of the daemon to the tenant.
   *
   * After the tenant's API has refused a token, name it as `refusedToken`. The result is another one. If there can't be
   * one yet, because the refused token had just replaced another refused one, the error is `rate_limited`.
   */
  token(options: TokenOptions): Promise<Token>;

  /**
   * Has tokens minted before they are asked for. Resolves when the daemon has accepted the work, with the numbers of
   * tokens that are being minted and that were cached, and of users that the tenant has refused recently. Users who
   * don't fit into one request (1,000, or 64 KiB of names) go in several, one after another. If one of these fails, so
   * does the call. The tokens of the earlier ones are minted all the same.
   */
  prefetch(options: PrefetchOptions): Promise<{ queued: number; cached: number; refused: number }>;

  /**
   * Reports a token that the tenant's API has refused, so that the next call gets another one. The daemon drops it only
   * if it is the cached one. `retryAfter` is there if the token had just replaced another reported one. To get another
   * token at once, call `token` with `refusedToken` instead.
   */
  invalidate(options: InvalidateOptions): Promise<{ invalidated: boolean; retryAfter: number | undefined }>;

  /**
   * Drops a user's tokens at logout, and revokes them at the tenant. `upstream` is false if the tenant failed to do so.
   * If the connection ends before the reply arrives, the client asks again, and `revoked` may be false because the
   * first request did the work.
   *
   * With `everywhere`, `upstreamRevoked` is the number of tokens that were revoked through the tenant's list of the user's
   * tokens. The error of a daemon that is too old to do so is `unsupported_op`.
   */
  revoke(options: RevokeOptions): Promise<{ revoked: boolean; upstream: boolean; upstreamRevoked?: number }>;

  /**
   * Makes sure that a user exists at the tenant and has these groups. It finds the user by the subject alone, creates one
   * if there is none, and never revives one who was disabled or deleted: that is `denied`, with this code in `upstream`.
   * `conflict` means that several users have this subject. If the connection ends before the reply arrives, the client
   * asks again, and `created` and `groupsChanged` may be false because the first request did the work.
   */
  provision(options: ProvisionOptions): Promise<{
    /** The tenant's own ID of the user. */
    userId: string;
    status: 'active' | 'invited' | (string & {});
    created: boolean;
    groupsChanged: boolean;
    /** `cache` if the daemon remembered the user, and asked the tenant nothing. */
    source: 'cache' | 'tenant' | (string & {});
  }>;

  /** Asks for the daemon's version, and for what this process may use. */
  hello(options?: Wait): Promise<{
    server: string;
    version: string;
    protocol: number;
    operations: string[];
    tenants: string[];
    /** The clients whose own tokens this process may have. */
    clients: string[];
    maxLine: number;
  }>;

  /**
   * Makes a handler for `node:http`, Express and Connect that answers POST with the token as text: what the function
   * that qlik-embed's `data-get-access-token` names needs. `user` finds who is signed in: a subject, or `{ userId }`
   * for the tenant's own user ID.
   *
   * A user with `name`, `email` or `groups` is provisioned before the first token in this process, and again when one of
   * these has changed. If the tenant denies the token of such a user later, because they were deleted, that happens once
   * more. The last 10,000 users are remembered.
   *
   * The status is 401 if `user` finds nobody, 405 for other methods, and 503 with `retry-after` if no token is
   * available now. It is 403 (`forbidden`, or `denied` if the user is disabled or deleted) or 500 (`conflict`,
   * `invalid_request`, `unknown_tenant`, `unsupported_op`) if another attempt won't help. The reason then goes to `log`, by
   * default `console.error`. An error that `user` throws goes to `next`. Without `next` the status is 500.
   *
   * A page whose last token the tenant has refused has to say so, with that token's SHA-256 in hexadecimal in the
   * header `x-refused-token`, and gets another one. Without the header it gets the cached token again.
   *
   * The request's header `traceparent` goes with the call for the token.
   *
   * The handler doesn't check from which page a request comes. That is the application's task, as for each POST
   * request.
   */
  accessTokenHandler<Request extends HandlerRequest>(
    user: (request: Request) => HandlerUser | Promise<HandlerUser>,
    options?: Which & TokenRequirements & { timeout?: number; log?: (line: string) => void },
  ): (request: Request, response: HandlerResponse, next?: (error?: unknown) => void) => Promise<void>;

  /**
   * Calls `fetch` with a user's token, which is sent only to the origins that the application has named. The call of
   * another URL fails with `invalid_request`, and a redirect to another origin gets no token. With several tenants,
   * name the origin in each call.
   *
   * If the status is 401, the token is reported, and the request is sent once more with another one. If there can't be
   * another one yet, the response is that with status 401. So it is if the body is a stream, which can't be sent twice.
   */
  fetch(
    user: string | ((User | Client) & Which & TokenRequirements & Trace & { timeout?: number; origin?: Origin }),
    url: Parameters<typeof globalThis.fetch>[0],
    init?: Parameters<typeof globalThis.fetch>[1],
  ): ReturnType<typeof globalThis.fetch>;

  /** Closes the client. Calls that wait, and later ones, fail with `closed`. */
  close(): Promise<void>;
}
