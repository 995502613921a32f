/**
 * Why a call got no answer. It never holds a token: not in its message, not as its cause.
 *
 * `code` is the daemon's (`denied`, `rate_limited`, `unavailable`, …) or one of the client's own: `unreachable` (no daemon
 * was there in the call's time), `timeout` (there was one, without an answer in that time; the daemon says this too),
 * `bad_reply` (what came makes no sense), `closed` (the client was closed) and `invalid_request` (never sent, because it
 * can't be written as a line of the protocol).
 */
export class TokenCacheError extends Error {
  constructor(code, description, { retryAfter, upstream } = {}) {
    super(`${code}: ${description}`);
    this.name = 'TokenCacheError';
    this.code = code;
    this.description = description;
    this.retryAfter = retryAfter;
    this.upstream = upstream;
  }

  /** The error that a reply tells of; undefined where it is an answer. */
  static ofReply(reply) {
    if (typeof reply.error !== 'string') return undefined;
    const text = typeof reply.error_description === 'string' ? reply.error_description : reply.error;
    const retryAfter = typeof reply.retry_after === 'number' ? reply.retry_after : undefined;
    const upstream = typeof reply.upstream === 'object' && reply.upstream !== null ? reply.upstream : undefined;
    return new TokenCacheError(reply.error, text, { retryAfter, upstream });
  }
}
