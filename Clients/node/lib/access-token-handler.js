'use strict';

const { TokenCacheError } = require('./token-cache-error.js');

/** The time after which to ask again if the error names none, in seconds. */
const DEFAULT_RETRY = 5;
/** The statuses of errors after which the page should not ask again. */
const PERMANENT = new Map([
  ['forbidden', 403],
  ['conflict', 500],
  ['invalid_request', 500],
  ['unknown_tenant', 500],
  ['unsupported_op', 500],
]);

/** The codes of `upstream` of a user whom an administrator of the tenant has locked out. */
const LOCKED_OUT = new Set(['disabled', 'deleted']);

/** The SHA-256 of a token, in hexadecimal. */
const FINGERPRINT = /^[0-9a-f]{64}$/i;

/** See `TokenCache.accessTokenHandler` in index.d.ts. */
function accessTokenHandler(users, user, { log = console.error, ...options } = {}) {
  return async (request, response, next) => {
    const abandoned = new AbortController();
    const onClose = () => abandoned.abort();
    try {
      if (request.method !== 'POST') return answer(response, 405, 'only POST is answered here', { allow: 'POST' });
      const found = await user(request);
      const whose = typeof found === 'string' ? { subject: found } : (found ?? {});
      // A session in which nobody is signed in also gives `{ userId: undefined }`.
      if ((whose.subject ?? whose.userId) == null) return answer(response, 401, 'nobody is signed in');
      response.once('close', onClose);
      if (response.destroyed) abandoned.abort();
      // The token of a client is not for a page, so a member of that name is the application's own.
      const wanted = { traceparent: traceOf(request), ...options, ...whose, client: undefined, signal: abandoned.signal };
      const refused = request.headers['x-refused-token'];
      if (FINGERPRINT.test(refused)) wanted.refusedTokenSha256 = refused;
      const token = await users.token(wanted);
      answer(response, 200, token.accessToken);
    } catch (error) {
      // The client has disconnected.
      if (abandoned.signal.aborted) return;
      if (error instanceof TokenCacheError) return fail(response, error, log);
      // The application handles an error of its own function.
      if (next) return next(error);
      answer(response, 500, 'it could not be determined who is signed in');
    } finally {
      response.off('close', onClose);
    }
  };
}

/** The header that says to which trace the request belongs, if there is exactly one. */
function traceOf({ headers: { traceparent } }) {
  return typeof traceparent === 'string' ? traceparent : undefined;
}

function fail(response, error, log) {
  const isLockedOut = error.code === 'denied' && LOCKED_OUT.has(error.upstream?.code);
  const status = isLockedOut ? 403 : PERMANENT.get(error.code);
  if (status !== undefined) {
    log(`tokencached: no access token can be given: ${error.message}`);
    return answer(response, status, `no access token can be given (${error.code})`);
  }
  const seconds = String(Math.max(1, Math.ceil(error.retryAfter ?? DEFAULT_RETRY)));
  answer(response, 503, `no access token is available now (${error.code})`, { 'retry-after': seconds });
}

function answer(response, status, text, headers = {}) {
  response.writeHead(status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
  });
  response.end(text);
}

module.exports = { accessTokenHandler };
