import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request as httpRequest } from 'node:http';
import { test } from 'node:test';

import { TokenCache, TokenCacheError } from '../index.mjs';
import { tokenReply, userReply, withDaemon } from './support/answering-daemon.js';
import { Stage } from './support/stage.js';

/** A server of `node:http` whose only handler is the client's. The header `x-user` names the user. */
async function withHandler(work, { user, options, next } = {}) {
  const stage = await Stage.open();
  const cache = new TokenCache({ path: stage.socket });
  try {
    await serve(cache, (server) => work({ stage, cache, ...server }), { user, options, next });
  } finally {
    await cache.close();
    await stage.close();
  }
}

async function serve(cache, work, { user = (request) => request.headers['x-user'], options, next }) {
  const handler = cache.accessTokenHandler(user, options);
  const server = createServer((request, response) => handler(request, response, next?.(response)));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const url = `http://127.0.0.1:${server.address().port}/access-token`;
  const post = (who) => fetch(url, { method: 'POST', headers: who ? { 'x-user': who } : {} });
  try {
    await work({ url, post });
  } finally {
    server.closeAllConnections?.();
    server.close();
  }
}

test('POST is answered with the token as text, which nobody may store', () =>
  withHandler(async ({ post, cache }) => {
    const response = await post('alice');
    assert.equal(response.status, 200);
    assert.equal(response.headers.get('cache-control'), 'no-store');
    assert.equal(response.headers.get('content-type'), 'text/plain; charset=utf-8');
    assert.equal(await response.text(), (await cache.token({ subject: 'alice' })).accessToken);
  }));

test('a page whose token was refused gets another one, and other pages are not affected', () =>
  withHandler(async ({ url, post, stage }) => {
    const first = await (await post('alice')).text();
    const refused = createHash('sha256').update(first).digest('hex');
    const ask = async (fingerprint) => {
      const headers = { 'x-user': 'alice', 'x-refused-token': fingerprint };
      return (await fetch(url, { method: 'POST', headers })).text();
    };
    assert.equal(await ask('malformed'), first);
    const [second, third] = await Promise.all([ask(refused), ask(refused)]);
    assert.notEqual(second, first);
    assert.equal(third, second);
    assert.equal((await stage.control('counters')).mints, 2);
  }));

test("the request's trace goes with the call to the tenant, and a malformed one fails no page", () =>
  withHandler(async ({ url, stage }) => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const ask = async (user, traceparent) =>
      (await fetch(url, { method: 'POST', headers: { 'x-user': user, traceparent } })).status;
    assert.equal(await ask('alice', `00-${traceId}-b7ad6b7169203331-01`), 200);
    assert.equal(await ask('bob', `00-${traceId}-malformed`), 200);
    assert.equal(await ask('eve', 'x'.repeat(8_000)), 200);
    const [alice, ...others] = (await stage.control('requests')).map(({ traceparent }) => traceparent);
    assert.match(alice, new RegExp(`^00-${traceId}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`));
    assert.deepEqual(others, [undefined, undefined]);
  }));

test('without a user the status is 401, and for another method 405', () =>
  withHandler(async ({ url, post, stage }) => {
    const nobody = await post();
    assert.equal(nobody.status, 401);
    assert.equal(nobody.headers.get('cache-control'), 'no-store');
    for (const method of ['GET', 'HEAD', 'PUT', 'OPTIONS']) {
      const response = await fetch(url, { method, headers: { 'x-user': 'alice' } });
      assert.equal(response.status, 405);
      assert.equal(response.headers.get('allow'), 'POST');
    }
    assert.equal((await stage.control('counters')).calls, 0);
  }));

test('an undefined user ID means that nobody is signed in', async () => {
  for (const user of [() => ({ userId: undefined }), async () => ({ subject: null, scope: 's' }), () => ({})]) {
    await withHandler(async ({ post }) => assert.equal((await post()).status, 401), { user });
  }
});

test('the user may be found asynchronously, by user ID, and with a scope', () =>
  withHandler(
    async ({ post, stage }) => {
      assert.equal((await post('7')).status, 200);
      const [{ field, value }] = (await stage.control('counters')).by_key;
      assert.deepEqual({ field, value }, { field: 'userId', value: '7' });
    },
    { user: async (request) => ({ userId: request.headers['x-user'], scope: 'user_default' }) },
  ));

test('without a token the status is 503, with the time after which to ask again', () =>
  withHandler(
    async ({ post, stage }) => {
      const refused = await post('unknown-401:alice');
      assert.equal(refused.status, 503);
      assert.equal(refused.headers.get('retry-after'), '10');
      assert.equal(refused.headers.get('cache-control'), 'no-store');
      assert.match(await refused.text(), /denied/);
      await stage.end('SIGKILL');
      const away = await post('alice');
      assert.equal(away.status, 503);
      assert.equal(away.headers.get('retry-after'), '5');
      assert.match(await away.text(), /unreachable/);
    },
    { options: { timeout: 0.3 } },
  ));

test('an error that waiting does not fix goes to the log, and the page is not told to ask again', async () => {
  for (const [options, status, code] of [
    [{ scope: 'admin_classic' }, 403, 'forbidden'],
    [{ tenant: 'other' }, 500, 'unknown_tenant'],
    [{ timeout: 301 }, 500, 'invalid_request'],
  ]) {
    const logged = [];
    await withHandler(
      async ({ post }) => {
        const response = await post('alice');
        assert.equal(response.status, status);
        assert.equal(response.headers.get('retry-after'), null);
        assert.equal(response.headers.get('cache-control'), 'no-store');
        assert.equal(await response.text(), `no access token can be given (${code})`);
        assert.equal(logged.length, 1);
        assert.match(logged[0], new RegExp(`^tokencached: no access token can be given: ${code}: `));
      },
      { options: { ...options, log: (line) => logged.push(line) } },
    );
  }
});

test('the delay for a page is in whole seconds', async () => {
  const cache = new TokenCache({ path: '/nowhere' });
  cache.token = async () => {
    throw new TokenCacheError('unavailable', 'later', { retryAfter: 0.2 });
  };
  const sent = [];
  const response = { destroyed: false, once() {}, off() {}, writeHead: (...head) => sent.push(head), end() {} };
  await cache.accessTokenHandler(() => 'alice')({ method: 'POST', headers: {} }, response);
  assert.equal(sent[0][0], 503);
  assert.equal(sent[0][1]['retry-after'], '1');
});

test('an error of the function goes to next, and without next the status is 500', async () => {
  const user = () => {
    throw new Error('the session store is away');
  };
  await withHandler(
    async ({ post }) => {
      const response = await post('alice');
      assert.equal(response.status, 500);
      assert.doesNotMatch(await response.text(), /session store/);
    },
    { user },
  );
  await withHandler(async ({ post }) => assert.equal(await (await post('alice')).text(), 'the session store is away'), {
    user,
    next: (response) => (error) => response.end(error.message),
  });
});

test('a client that disconnects ends the wait, not the mint', () =>
  withHandler(async ({ url, stage, cache }) => {
    await stage.control('hold', {});
    const request = httpRequest(url, { method: 'POST', headers: { 'x-user': 'alice' } });
    request.on('error', () => {});
    request.end();
    await stage.counter('held', 1);
    request.destroy();
    await stage.control('release', {});
    assert.ok((await cache.token({ subject: 'alice' })).accessToken);
    await stage.counter('mints', 1);
  }));

test('a page whose token was refused costs one request to the daemon', async () => {
  const answer = ({ refused_token_sha256: refused }) => tokenReply(refused ? 'another' : 'first');
  await withDaemon(answer, ({ cache, requests }) =>
    serve(
      cache,
      async ({ url }) => {
        const refused = createHash('sha256').update('first').digest('hex');
        const headers = { 'x-user': 'alice', 'x-refused-token': refused };
        assert.equal(await (await fetch(url, { method: 'POST', headers })).text(), 'another');
        assert.deepEqual(requests, [{ op: 'token', subject: 'alice', refused_token_sha256: refused }]);
      },
      {},
    ),
  );
});

test('a refused token that can not be replaced yet is not given out again: the page is told when to ask', async () => {
  const answer = () => ({ error: 'rate_limited', error_description: 'later', retry_after: 7.5 });
  await withDaemon(answer, ({ cache }) =>
    serve(
      cache,
      async ({ url }) => {
        const headers = { 'x-user': 'alice', 'x-refused-token': '0'.repeat(64) };
        const response = await fetch(url, { method: 'POST', headers });
        assert.equal(response.status, 503);
        assert.equal(response.headers.get('retry-after'), '8');
      },
      {},
    ),
  );
});

test('a user with a name, an address and groups is provisioned at first sight, once for all handlers', async () => {
  const profile = { subject: 'alice', name: 'Alice', email: 'alice@example.com', groups: ['portal-emea'] };
  const user = () => ({ ...profile, scope: 's' });
  const answer = ({ op }) => (op === 'provision' ? userReply({ created: true }) : tokenReply('a'));
  await withDaemon(answer, async ({ cache, requests }) => {
    for (const tenant of ['main', 'main', 'other']) {
      const check = async ({ post }) => assert.equal(await (await post()).text(), 'a');
      await serve(cache, check, { user, options: { tenant } });
    }
    const provision = { op: 'provision', ...profile };
    const token = { op: 'token', subject: 'alice', scope: 's' };
    const inMain = { tenant: 'main' };
    const inOther = { tenant: 'other' };
    assert.deepEqual(requests, [
      { ...provision, ...inMain },
      { ...token, ...inMain },
      { ...token, ...inMain },
      { ...provision, ...inOther },
      { ...token, ...inOther },
    ]);
  });
});

test('an error of provisioning is that of the page, with a status that says if asking again helps', async () => {
  for (const [error, status, code] of [
    [{ error: 'conflict', error_description: 'several users have this subject' }, 500, 'conflict'],
    [{ error: 'forbidden', error_description: 'no' }, 403, 'forbidden'],
    [{ error: 'denied', error_description: 'no', upstream: { code: 'disabled' } }, 403, 'denied'],
    [{ error: 'denied', error_description: 'no', upstream: { code: 'deleted' } }, 403, 'denied'],
    [{ error: 'denied', error_description: 'no', upstream: { status: 403, code: 'AUTHZ-1' } }, 503, 'denied'],
    [{ error: 'unavailable', error_description: 'no', retry_after: 3 }, 503, 'unavailable'],
  ]) {
    const logged = [];
    const options = { log: (line) => logged.push(line) };
    const user = () => ({ subject: 'alice', email: 'alice@example.com', groups: [] });
    await withDaemon(() => error, ({ cache, requests }) =>
      serve(
        cache,
        async ({ post }) => {
          const response = await post();
          assert.equal(response.status, status, JSON.stringify(error));
          assert.equal(response.headers.has('retry-after'), status === 503);
          assert.match(await response.text(), new RegExp(`\\(${code}\\)$`));
          assert.equal(logged.length, status === 503 ? 0 : 1);
          assert.ok(!logged.join().includes('@'), 'the log has the e-mail address');
          assert.deepEqual(requests.map(({ op }) => op), ['provision']);
        },
        { user, options },
      ),
    );
  }
});

test("a page gets no client's own token", async () => {
  await withDaemon(() => tokenReply('a'), async ({ cache, requests }) => {
    const statusOf = (user) => {
      let status;
      const check = async ({ post }) => void (status = (await post()).status);
      return serve(cache, check, { user: () => user, options: { client: 'backend' } }).then(() => status);
    };
    assert.equal(await statusOf({ client: 'backend' }), 401);
    assert.equal(await statusOf({ subject: 'alice', client: 'backend' }), 200);
    assert.deepEqual(requests, [{ op: 'token', subject: 'alice' }]);
  });
});
