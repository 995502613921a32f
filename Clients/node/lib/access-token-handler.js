'use strict';

const { TokenCacheError } = require('./token-cache-error.js');

/** When to ask again where the error doesn't say, in seconds. */
const USUAL_RETRY = 5;
/** Faults of the application or its configuration: asking again won't mend them, and the page shouldn't. */
const LASTING = new Map([
  ['forbidden', 403],
  ['invalid_request', 500],
  ['unknown_tenant', 500],
  ['unsupported_op', 500],
]);

/** The SHA-256 of a token, in hex. */
const FINGERPRINT = /^[0-9a-f]{64}$/i;

/** See `TokenCache.accessTokenHandler` in index.d.ts. */
function accessTokenHandler(cache, user, { log = console.error, ...options } = {}) {
  return async (request, response, next) => {
    const abandoned = new AbortController();
    const onClose = () => abandoned.abort();
    try {
      if (request.method !== 'POST') return answer(response, 405, 'only POST is answered here', { allow: 'POST' });
      const found = await user(request);
      const whose = typeof found === 'string' ? { subject: found } : (found ?? {});
      // `{ userId: request.session.userId }` of nobody's session is nobody, too.
      if ((whose.subject ?? whose.userId) == null) return answer(response, 401, 'nobody is signed in');
      response.once('close', onClose);
      if (response.destroyed) abandoned.abort();
      const wanted = { ...options, ...whose, signal: abandoned.signal };
      const refused = request.headers['x-refused-token'];
      if (FINGERPRINT.test(refused)) await cache.invalidate({ ...key(wanted), tokenSha256: refused });
      const token = await cache.token(wanted);
      answer(response, 200, token.accessToken);
    } catch (error) {
      // Nobody is there any more to be answered.
      if (abandoned.signal.aborted) return;
      if (error instanceof TokenCacheError) return fail(response, error, log);
      // A fault of the application's own function is the application's to handle.
      if (next) return next(error);
      answer(response, 500, 'who is signed in could not be found out');
    } finally {
      response.off('close', onClose);
    }
  };
}

function key({ subject, userId, tenant, scope, timeout, signal }) {
  return { subject, userId, tenant, scope, timeout, signal };
}

function fail(response, error, log) {
  const status = LASTING.get(error.code);
  if (status !== undefined) {
    log(`tokencached: no access token can be given: ${error.message}`);
    return answer(response, status, `no access token can be given (${error.code})`);
  }
  const seconds = String(Math.max(1, Math.ceil(error.retryAfter ?? USUAL_RETRY)));
  answer(response, 503, `no access token can be had at present (${error.code})`, { 'retry-after': seconds });
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
