import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { TokenCache, TokenCacheError } from '../index.mjs';
import { ReportedTokens } from '../lib/reported-tokens.js';
import { authModule, register } from '../qlik-api.mjs';
import { QlikClient } from './support/qlik-client.js';
import { Stage } from './support/stage.js';

/** A tenant's API that takes only valid tokens, and a client of it in the way of the vendor's. */
async function withClient(work) {
  const stage = await Stage.open();
  const seen = [];
  const api = createServer(async (request, response) => {
    const token = request.headers.authorization?.replace('Bearer ', '') ?? '';
    const { live } = await stage.control('live', { token });
    const status = request.url === '/forbidden' ? 403 : live && request.url !== '/refuse' ? 200 : 401;
    seen.push(status);
    response.writeHead(status).end(token);
  });
  await once(api.listen(0, '127.0.0.1'), 'listening');
  const host = `http://127.0.0.1:${api.address().port}`;
  const cache = new TokenCache({ path: stage.socket, origin: host });
  const client = new QlikClient();
  register(client.auth, cache);
  try {
    await work({ stage, cache, client, seen, as: (user) => ({ authType: 'tokencached', host, ...user }) });
  } finally {
    api.closeAllConnections?.();
    api.close();
    await cache.close();
    await stage.close();
  }
}

test("calls of the vendor's client carry the token of the user of their host config", () =>
  withClient(async ({ cache, client, seen, as }) => {
    const tokenOf = async (user) => (await cache.token(user)).accessToken;
    assert.equal(await client.get('/items', as({ subject: 'alice' })), await tokenOf({ subject: 'alice' }));
    assert.equal(await client.get('/items', as({ subject: 'bob', tenant: 'main' })), await tokenOf({ subject: 'bob' }));
    assert.equal(await client.get('/items', as({ userId: '7', scope: 'user_default' })), await tokenOf({ userId: '7' }));
    assert.deepEqual(seen, [200, 200, 200]);
    const { headers } = await client.webSocketParams(as({ subject: 'alice' }));
    assert.equal(headers.Authorization, `Bearer ${await tokenOf({ subject: 'alice' })}`);
  }));

test('after status 401 all calls that were under way are made once more, with one mint', () =>
  withClient(async ({ stage, cache, client, seen, as }) => {
    const alice = as({ subject: 'alice' });
    await client.get('/first', alice);
    await stage.control('revoke', { token: (await cache.token({ subject: 'alice' })).accessToken });
    const tokens = await Promise.all(['/1', '/2', '/3', '/4'].map((path) => client.get(path, alice)));
    assert.equal(new Set(tokens).size, 1);
    assert.deepEqual(seen.slice().sort(), [200, 200, 200, 200, 200, 401, 401, 401, 401]);
    assert.equal((await stage.control('counters')).mints, 2);
  }));

test('an API that keeps refusing is called twice, and its error is the result', () =>
  withClient(async ({ stage, client, seen, as }) => {
    for (const calls of [2, 4]) {
      await assert.rejects(client.get('/refuse', as({ subject: 'alice' })), { status: 401 });
      assert.equal(seen.length, calls);
    }
    assert.equal((await stage.control('counters')).mints, 2);
  }));

test('another status reports no token, and is not tried again', () =>
  withClient(async ({ stage, cache, client, seen, as }) => {
    await assert.rejects(client.get('/forbidden', as({ subject: 'alice' })), { status: 403 });
    assert.deepEqual(seen, [403]);
    assert.equal((await cache.token({ subject: 'alice' })).source, 'cache');
    assert.equal((await stage.control('counters')).mints, 1);
  }));

test('a token is sent only to the origins that were named', () =>
  withClient(async ({ stage, cache, client, as }) => {
    const secure = as({}).host.replace('http:', 'https:');
    for (const host of ['localhost', 'https://127.0.0.1', undefined, '', 'https://', 7, secure]) {
      const error = { code: 'invalid_request' };
      await assert.rejects(client.get('/items', as({ subject: 'alice', host })), error, String(host));
      await assert.rejects(client.webSocketParams(as({ subject: 'alice', host })), error, String(host));
    }
    assert.equal((await stage.control('counters')).calls, 0);
    const { host } = as({});
    const elsewhere = authModule(cache, { origin: 'https://elsewhere.example' });
    const params = elsewhere.getRestCallAuthParams({ hostConfig: { subject: 'alice', host } });
    await assert.rejects(params, { code: 'invalid_request' });
    const { headers } = await authModule(cache, { origin: [host] }).getRestCallAuthParams({
      hostConfig: { subject: 'alice', host: ` ${host}/ ` },
    });
    assert.match(headers.Authorization, /^Bearer /);
    const nowhere = new TokenCache({ path: stage.socket });
    assert.throws(() => authModule(nowhere), TypeError);
    assert.throws(() => register(client.auth, nowhere, { origin: 'ftp://x' }), TypeError);
    await nowhere.close();
  }));

test('a host config has exactly one user, in itself and as a string, so that no two users share a response', () =>
  withClient(async ({ stage, client, as }) => {
    const inherited = Object.assign(Object.create({ subject: 'alice' }), as({}));
    const users = [{}, { subject: 'a', userId: '1' }, { subject: 'a', client: 'b' }, { subject: () => 'a' }, { userId: 7 }];
    for (const hostConfig of [...users.map(as), inherited]) {
      await assert.rejects(client.get('/items', hostConfig), { code: 'invalid_request' });
      await assert.rejects(client.webSocketParams(hostConfig), { code: 'invalid_request' });
    }
    assert.equal((await stage.control('counters')).calls, 0);
  }));

/** The reports of tokens with a clock and a daemon of the test, whose tokens are `one`, `two`, …, each after a report. */
function makeTokens() {
  const clock = { now: 0 };
  const asked = [];
  const names = ['one', 'two', 'three'];
  const outcomes = [];
  const cache = {
    token: async ({ subject, refusedTokenSha256: refused }) => {
      asked.push(refused === undefined ? subject : `${subject} again`);
      await outcomes.shift()?.();
      if (refused !== undefined) names.shift();
      return { accessToken: names[0] };
    },
  };
  return { tokens: new ReportedTokens(cache, () => clock.now), clock, asked, outcomes };
}

test('a refusal is reported with the next request, but for ten seconds after a replacement', async () => {
  const { tokens, clock, asked } = makeTokens();
  const alice = { subject: 'alice' };
  const get = async () => [await tokens.accessToken(alice), asked.pop()];
  tokens.refused(alice);
  assert.deepEqual(await get(), ['one', 'alice']);
  tokens.refused(alice);
  tokens.refused(alice);
  assert.deepEqual(await get(), ['two', 'alice again']);
  assert.deepEqual(await get(), ['two', 'alice']);
  clock.now = 9_999;
  tokens.refused(alice);
  assert.deepEqual(await get(), ['two', 'alice']);
  clock.now = 10_000;
  tokens.refused(alice);
  assert.equal(await tokens.accessToken({ subject: 'bob' }), 'two');
  assert.equal(asked.pop(), 'bob');
  assert.deepEqual(await get(), ['three', 'alice again']);
});

test('a report that failed is made again, unless this process may not make it', async () => {
  const { tokens, asked, outcomes } = makeTokens();
  const alice = { subject: 'alice' };
  await tokens.accessToken(alice);
  tokens.refused(alice);
  for (const code of ['unavailable', 'forbidden']) {
    outcomes.push(() => Promise.reject(new TokenCacheError(code, 'no')));
    await assert.rejects(tokens.accessToken(alice), { code });
    assert.equal(asked.pop(), 'alice again');
  }
  assert.equal(await tokens.accessToken(alice), 'one');
  assert.equal(asked.pop(), 'alice');
});
