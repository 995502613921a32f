'use strict';

const { delayOf, isValidString } = require('./strings.js');

/**
 * The reason why a call failed. It never contains a token: neither in its message nor as its cause.
 *
 * `code` is the daemon's (`denied`, `rate_limited`, `unavailable`, …) or one of the client's own:
 * - `unreachable`: no daemon could be reached in the call's time
 * - `timeout`: the daemon did not answer in that time; the daemon sends this code, too
 * - `bad_reply`: the daemon's reply is malformed
 * - `closed`: the client was closed
 * - `invalid_request`: the request was not sent, because it can't be written as a line of the protocol
 */
class TokenCacheError extends Error {
  constructor(code, description, { retryAfter, upstream } = {}) {
    super(`${code}: ${description}${wordsOf(upstream)}`);
    this.name = 'TokenCacheError';
    this.code = code;
    this.description = description;
    this.retryAfter = retryAfter;
    this.upstream = upstream;
  }

  /** The error that a reply reports, or undefined if it reports success. */
  static ofReply(reply) {
    if (!isValidString(reply.error)) return undefined;
    const description = isValidString(reply.error_description) ? reply.error_description : reply.error;
    const details = { retryAfter: delayOf(reply.retry_after), upstream: upstreamOf(reply.upstream) };
    return new TokenCacheError(reply.error, description, details);
  }
}

/** The tenant's own code and title, as an error's message ends with them. */
function wordsOf(upstream) {
  const words = [upstream?.code, upstream?.title].filter(Boolean).join(': ');
  return words && ` (${words})`;
}

/** Without a status the tenant did not answer, and the code is the daemon's for the reason. */
function upstreamOf(members) {
  const { status, code, title } = members ?? {};
  if (status === undefined ? !isValidString(code) : !Number.isInteger(status)) return undefined;
  return { status, code: isValidString(code) ? code : undefined, title: isValidString(title) ? title : undefined };
}

module.exports = { TokenCacheError };
