'use strict';

const { checkOrigin, originsOf } = require('./origins.js');

/** See `TokenCache.fetch` in index.d.ts. */
async function fetchAs(cache, usualOrigins, user, url, init = {}) {
  const { origin, ...whose } = typeof user === 'string' ? { subject: user } : user;
  const origins = origin === undefined ? usualOrigins : originsOf(origin);
  checkOrigin(origins, url instanceof Request ? url.url : url);
  const signal = init.signal ?? (url instanceof Request ? url.signal : undefined);
  const first = await cache.token({ ...whose, signal });
  const response = await fetch(url, authorized(url, init, first));
  // After a redirect to another origin, which got no token, none was refused.
  if (response.status !== 401 || !origins.includes(new URL(response.url).origin)) return response;
  if (!isRepeatable(url, init)) {
    await cache.invalidate({ ...key(whose), accessToken: first.accessToken, signal });
    return response;
  }
  const second = await another(cache, { ...whose, noCache: undefined, refusedToken: first.accessToken, signal });
  if (!second) return response;
  // Frees the connection for the second attempt.
  await response.body?.cancel();
  return fetch(url, authorized(url, init, second));
}

function authorized(url, init, token) {
  const headers = new Headers(init.headers ?? (url instanceof Request ? url.headers : undefined));
  headers.set('authorization', `Bearer ${token.accessToken}`);
  return { ...init, headers };
}

/** True if the request can be sent a second time. A body that is read while it is sent can't be. */
function isRepeatable(url, init) {
  if (init.body === undefined || init.body === null) return !(url instanceof Request && url.body);
  return !(init.body instanceof ReadableStream || Symbol.asyncIterator in Object(init.body));
}

/** Another token than the refused one, or undefined if there can't be one yet. */
async function another(cache, options) {
  try {
    return await cache.token(options);
  } catch (error) {
    if (error.code === 'rate_limited') return undefined;
    throw error;
  }
}

function key({ subject, userId, client, tenant, scope, timeout }) {
  return { subject, userId, client, tenant, scope, timeout };
}

module.exports = { fetchAs };
