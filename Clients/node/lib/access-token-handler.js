import { TokenCacheError } from './token-cache-error.js';

/** When to ask again where the error doesn't say, in seconds. */
const USUAL_RETRY = 5;

/** The SHA-256 of a token, in hex. */
const FINGERPRINT = /^[0-9a-f]{64}$/i;

/** See `TokenCache.accessTokenHandler` in index.d.ts. */
export function accessTokenHandler(cache, user, options = {}) {
  return async (request, response, next) => {
    const abandoned = new AbortController();
    const onClose = () => abandoned.abort();
    try {
      if (request.method !== 'POST') return answer(response, 405, 'only POST is answered here', { allow: 'POST' });
      const found = await user(request);
      if (found === undefined || found === null) return answer(response, 401, 'nobody is signed in');
      response.once('close', onClose);
      if (response.destroyed) abandoned.abort();
      const whose = typeof found === 'string' ? { subject: found } : found;
      const wanted = { ...options, ...whose, signal: abandoned.signal };
      const refused = request.headers['x-refused-token'];
      if (FINGERPRINT.test(refused)) await cache.invalidate({ ...key(wanted), tokenSha256: refused });
      const token = await cache.token(wanted);
      answer(response, 200, token.accessToken);
    } catch (error) {
      // Nobody is there any more to be answered.
      if (abandoned.signal.aborted) return;
      if (error instanceof TokenCacheError) return unavailable(response, error);
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

function unavailable(response, error) {
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
