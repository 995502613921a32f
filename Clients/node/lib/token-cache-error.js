'use strict';

const { isText, pauseOf } = require('./texts.js');

/**
 * Why a call got no answer. It never holds a token: not in its message, not as its cause.
 *
 * `code` is the daemon's (`denied`, `rate_limited`, `unavailable`, …) or one of the client's own: `unreachable` (no daemon
 * was there in the call's time), `timeout` (there was one, without an answer in that time; the daemon says this too),
 * `bad_reply` (what came makes no sense), `closed` (the client was closed) and `invalid_request` (never sent, because it
 * can't be written as a line of the protocol).
 */
class TokenCacheError extends Error {
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
    if (!isText(reply.error)) return undefined;
    const description = isText(reply.error_description) ? reply.error_description : reply.error;
    const details = { retryAfter: pauseOf(reply.retry_after), upstream: upstreamOf(reply.upstream) };
    return new TokenCacheError(reply.error, description, details);
  }
}

/** Without a status there was no answer of the tenant's; the daemon's code says why then. */
function upstreamOf(members) {
  const { status, code, title } = members ?? {};
  if (status === undefined ? !isText(code) : !Number.isInteger(status)) return undefined;
  return { status, code: isText(code) ? code : undefined, title: isText(title) ? title : undefined };
}

module.exports = { TokenCacheError };
