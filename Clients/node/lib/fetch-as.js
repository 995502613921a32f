/** See `TokenCache.fetch` in index.d.ts. */
export async function fetchAs(cache, user, url, init = {}) {
  const whose = typeof user === 'string' ? { subject: user } : user;
  const signal = init.signal ?? (url instanceof Request ? url.signal : undefined);
  const first = await cache.token({ ...whose, signal });
  const response = await fetch(url, authorized(url, init, first));
  if (response.status !== 401) return response;
  await cache.invalidate({ ...key(whose), accessToken: first.accessToken, signal });
  if (!isRepeatable(url, init)) return response;
  const second = await cache.token({ ...whose, signal });
  // The daemon keeps a token that has just replaced a reported one: asking again with it would be refused again.
  if (second.accessToken === first.accessToken) return response;
  // Frees the connection for the second attempt.
  await response.body?.cancel();
  return fetch(url, authorized(url, init, second));
}

function authorized(url, init, token) {
  const headers = new Headers(init.headers ?? (url instanceof Request ? url.headers : undefined));
  headers.set('authorization', `Bearer ${token.accessToken}`);
  return { ...init, headers };
}

/** What is read while it is sent can't be sent a second time. */
function isRepeatable(url, init) {
  if (init.body === undefined || init.body === null) return !(url instanceof Request && url.body);
  return !(init.body instanceof ReadableStream || Symbol.asyncIterator in Object(init.body));
}

function key({ subject, userId, tenant, scope, timeout }) {
  return { subject, userId, tenant, scope, timeout };
}
