'use strict';

const { fingerprintOf } = require('./fingerprints.js');
const { isValidString } = require('./strings.js');
const { TokenCacheError } = require('./token-cache-error.js');

/** The options of a call for a token, with the SHA-256 of a refused token in the place of that token. */
function withFingerprint({ refusedToken, ...options }) {
  if (refusedToken === undefined || refusedToken === null) return options;
  if (!isValidString(refusedToken)) throw new TokenCacheError('invalid_request', "'refusedToken' should be a string");
  if (options.refusedTokenSha256 !== undefined && options.refusedTokenSha256 !== null) {
    throw new TokenCacheError('invalid_request', "only one of 'refusedToken' and 'refusedTokenSha256' is possible");
  }
  return { ...options, refusedTokenSha256: fingerprintOf(refusedToken) };
}

/**
 * The token that the daemon gave, or another one if the tenant has refused that very token. Only a daemon of an earlier
 * version gives it again, because it ignores the report. Then the token is reported in a request of its own.
 *
 * @param send sends a request in the time of the call: `(operation, options)`.
 */
async function tokenAfterRefusal(token, { refusedTokenSha256, ...options }, send) {
  if (!isSame(token, refusedTokenSha256)) return token;
  const { retryAfter } = await send('invalidate', { ...options, tokenSha256: refusedTokenSha256 });
  if (retryAfter !== undefined) throw noOther(retryAfter);
  const another = await send('token', options);
  if (isSame(another, refusedTokenSha256)) throw noOther();
  return another;
}

function isSame({ accessToken }, fingerprint) {
  return typeof fingerprint === 'string' && fingerprintOf(accessToken) === fingerprint.toLowerCase();
}

function noOther(retryAfter) {
  return new TokenCacheError('rate_limited', 'the refused token can not be replaced yet', { retryAfter });
}

module.exports = { tokenAfterRefusal, withFingerprint };
