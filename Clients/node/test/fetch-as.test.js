import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { TokenCache } from '../index.mjs';
import { tokenReply, withDaemon } from './support/answering-daemon.js';
import { Stage } from './support/stage.js';

/** An API that asks the stand-in tenant whether a token is valid, and records its requests. */
async function withAPI(work) {
  const stage = await Stage.open();
  const seen = [];
  const api = createServer(async (request, response) => {
    const authorization = request.headers.authorization;
    let body = '';
    for await (const chunk of request) body += chunk;
    seen.push({ authorization, body, type: request.headers['content-type'], method: request.method });
    const { live } = await stage.control('live', { token: authorization?.replace('Bearer ', '') ?? '' });
    const isRefused = !live || request.url === '/refuse';
    const status = isRefused ? 401 : request.url.startsWith('/away') ? 302 : 200;
    response.writeHead(status, { location: away.url + request.url.replace('/away/', '') }).end('answer');
  });
  const away = createServer((request, response) => {
    seen.push({ authorization: request.headers.authorization });
    response.writeHead(request.url === '/refuse' ? 401 : 200).end();
  });
  for (const server of [api, away]) {
    await once(server.listen(0, '127.0.0.1'), 'listening');
    server.url = `http://127.0.0.1:${server.address().port}/`;
  }
  const cache = new TokenCache({ path: stage.socket, origin: api.url });
  try {
    await work({ stage, cache, seen, url: api.url, away: away.url });
  } finally {
    for (const server of [api, away]) {
      server.closeAllConnections?.();
      server.close();
    }
    await cache.close();
    await stage.close();
  }
}

test('the request carries the token of the user', () =>
  withAPI(async ({ cache, seen, url }) => {
    const response = await cache.fetch({ subject: 'alice', scope: 'user_default' }, url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(response.status, 200);
    const { accessToken } = await cache.token({ subject: 'alice' });
    assert.deepEqual(seen, [
      { authorization: `Bearer ${accessToken}`, body: '{}', type: 'application/json', method: 'POST' },
    ]);
  }));

test('after status 401 the token is replaced with one mint, and the request is sent once more', () =>
  withAPI(async ({ stage, cache, seen, url }) => {
    const { accessToken } = await cache.token({ subject: 'alice' });
    await stage.control('revoke', { token: accessToken });
    const responses = await Promise.all([1, 2, 3].map(() => cache.fetch('alice', new Request(url))));
    assert.deepEqual(responses.map((response) => response.status), [200, 200, 200]);
    assert.equal(await responses[0].text(), 'answer');
    assert.equal(seen.length, 6);
    assert.equal((await stage.control('counters')).mints, 2);
  }));

test('an API that keeps refusing is called twice, and its response is the result', () =>
  withAPI(async ({ stage, cache, seen, url }) => {
    assert.equal((await cache.fetch('alice', `${url}refuse`)).status, 401);
    assert.equal(seen.length, 2);
    // The daemon keeps a new token that has just replaced a reported one, so there is no other to try.
    assert.equal((await cache.fetch('alice', `${url}refuse`)).status, 401);
    assert.equal(seen.length, 3);
    assert.equal((await stage.control('counters')).mints, 2);
  }));

test('a body that can be read only once is sent once, and the next request has another token', () =>
  withAPI(async ({ stage, cache, seen, url }) => {
    const { accessToken } = await cache.token({ subject: 'alice' });
    await stage.control('revoke', { token: accessToken });
    const body = new ReadableStream({
      start: (controller) => {
        controller.enqueue(new TextEncoder().encode('streamed'));
        controller.close();
      },
    });
    assert.equal((await cache.fetch('alice', url, { method: 'PUT', body, duplex: 'half' })).status, 401);
    assert.deepEqual(seen.map(({ body }) => body), ['streamed']);
    assert.equal((await cache.fetch('alice', url)).status, 200);
    assert.equal(seen.length, 2);
  }));

test('a redirect to another origin gets no token', () =>
  withAPI(async ({ cache, seen, url }) => {
    assert.equal((await cache.fetch('alice', `${url}away/`)).status, 200);
    assert.equal(seen.length, 2);
    assert.equal(seen[1].authorization, undefined);
  }));

test('status 401 from another origin after a redirect does not invalidate the token', () =>
  withAPI(async ({ stage, cache, seen, url }) => {
    assert.equal((await cache.fetch('alice', `${url}away/refuse`)).status, 401);
    assert.deepEqual(seen.map(({ authorization }) => authorization !== undefined), [true, false]);
    assert.equal((await cache.token({ subject: 'alice' })).source, 'cache');
    assert.equal((await stage.control('counters')).mints, 1);
  }));

test('a token is sent only to the origins that were named', () =>
  withAPI(async ({ stage, cache, seen, url, away }) => {
    const refused = { code: 'invalid_request' };
    for (const target of [away, new URL(away), new Request(away), url.replace('http:', 'https:'), 'data:,x']) {
      await assert.rejects(cache.fetch('alice', target), refused);
    }
    await assert.rejects(cache.fetch({ subject: 'alice', origin: away }, url), refused);
    const nowhere = new TokenCache({ path: stage.socket });
    await assert.rejects(nowhere.fetch('alice', url), refused);
    assert.deepEqual(seen, []);
    assert.equal((await stage.control('counters')).calls, 0);
    assert.equal((await nowhere.fetch({ subject: 'alice', origin: [away, url] }, url)).status, 200);
    await nowhere.close();
    assert.equal((await cache.fetch({ subject: 'alice', origin: away }, away)).status, 200);
    assert.equal(seen.length, 2);
    for (const origin of ['your-tenant.eu.qlikcloud.com', 'ftp://x', 7]) {
      assert.throws(() => new TokenCache({ origin }), TypeError);
    }
  }));

test('without a token nothing is sent', () =>
  withAPI(async ({ cache, seen, url }) => {
    await assert.rejects(cache.fetch('unknown-401:alice', url), { code: 'denied' });
    await assert.rejects(cache.fetch('alice', url, { signal: AbortSignal.abort() }), { name: 'AbortError' });
    assert.deepEqual(seen, []);
  }));

/** Calls an API that refuses the token `first`, with a daemon of the test. Returns the response and the requests. */
async function fetchFrom(answer, user) {
  const api = createServer((request, response) => {
    response.writeHead(request.headers.authorization === 'Bearer first' ? 401 : 200).end();
  });
  await once(api.listen(0, '127.0.0.1'), 'listening');
  const origin = `http://127.0.0.1:${api.address().port}`;
  try {
    return await withDaemon(
      answer,
      async ({ cache, requests }) => ({ status: (await cache.fetch(user, origin)).status, requests }),
      { origin },
    );
  } finally {
    api.closeAllConnections?.();
    api.close();
  }
}

const fingerprint = createHash('sha256').update('first').digest('hex');

test('another token after status 401 costs one request to the daemon, also that of a client', async () => {
  const answer = ({ refused_token_sha256: refused }) => tokenReply(refused ? 'another' : 'first');
  const { status, requests } = await fetchFrom(answer, { client: 'backend', noCache: true, minTtl: 60 });
  assert.equal(status, 200);
  const token = { op: 'token', client: 'backend', min_ttl: 60 };
  assert.deepEqual(requests, [{ ...token, no_cache: true }, { ...token, refused_token_sha256: fingerprint }]);
});

test('if the refused token can not be replaced yet, the response with status 401 is the result', async () => {
  const answer = ({ refused_token_sha256: refused }) =>
    refused ? { error: 'rate_limited', error_description: 'later', retry_after: 3 } : tokenReply('first');
  assert.equal((await fetchFrom(answer, 'alice')).status, 401);
});

test('an older daemon, which does not know the report, gets it in a request of its own', async () => {
  let isDropped = false;
  const answer = ({ op }) => {
    if (op === 'token') return tokenReply(isDropped ? 'another' : 'first');
    isDropped = true;
    return { invalidated: true };
  };
  const { status, requests } = await fetchFrom(answer, 'alice');
  assert.equal(status, 200);
  assert.deepEqual(requests.slice(2), [
    { op: 'invalidate', subject: 'alice', token_sha256: fingerprint },
    { op: 'token', subject: 'alice' },
  ]);
});
