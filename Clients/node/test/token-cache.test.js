import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { TokenCache, TokenCacheError } from '../index.mjs';
import { Stage } from './support/stage.js';
import { within } from './support/values.js';

const withStage = async (work) => {
  const stage = await Stage.open();
  const cache = new TokenCache({ path: stage.socket });
  try {
    await work(cache, stage);
  } finally {
    await cache.close();
    await stage.close();
  }
};

test('no text about a token contains it', () =>
  withStage(async (cache) => {
    const token = await cache.token({ subject: 'alice' });
    const secret = token.accessToken;
    assert.ok(secret.length > 500);
    for (const shown of [inspect(token), inspect({ token }, { showHidden: true }), JSON.stringify(token), `${token}`]) {
      assert.ok(!shown.includes(secret.slice(0, 20)), shown);
    }
    assert.equal({ ...token }.accessToken, undefined);
  }));

test('the message of an error has what the tenant said', () => {
  const message = (upstream) => new TokenCacheError('denied', 'no', { upstream }).message;
  assert.equal(message({ status: 401, code: 'OAUTH-10', title: 'User not found' }), 'denied: no (OAUTH-10: User not found)');
  assert.equal(message({ status: 401, code: 'OAUTH-10' }), 'denied: no (OAUTH-10)');
  assert.equal(message({ status: 401, title: 'Unknown' }), 'denied: no (Unknown)');
  for (const none of [{ status: 401 }, undefined, null]) assert.equal(message(none), 'denied: no');
});

test('a malformed request fails only its own call', () =>
  withStage(async (cache) => {
    const wrong = [
      { subject: 7 },
      { subject: { toJSON: () => 'alice' } },
      { subject: 'alice', minTtl: Number.NaN },
      { subject: 'alice', timeout: 301 },
      { subject: 'alice', noCache: 'yes' },
      { subject: 'alice', userId: '1' },
    ];
    const good = cache.token({ subject: 'alice' });
    for (const options of wrong) {
      await assert.rejects(cache.token(options), { code: 'invalid_request' });
    }
    await assert.rejects(cache.prefetch({ subjects: ['alice', null] }), { code: 'invalid_request' });
    assert.equal((await good).source, 'tenant');
  }));

test('a call whose signal is aborted already sends nothing', () =>
  withStage(async (cache, stage) => {
    const reason = new Error('no longer needed');
    await assert.rejects(cache.token({ subject: 'alice', signal: AbortSignal.abort(reason) }), reason);
    assert.equal((await stage.control('counters')).calls, 0);
  }));

test('a prefetch of long names, and one of more users than a request may have, are split', () =>
  withStage(async (cache, stage) => {
    const long = Array.from({ length: 1_000 }, (_, index) => `${index}-${'x'.repeat(1_000)}`);
    const many = Array.from({ length: 1_001 }, (_, index) => `user-${index}`);
    await stage.control('hold', {});
    assert.deepEqual(await cache.prefetch({ subjects: long }), { queued: 1_000, cached: 0, refused: 0 });
    assert.deepEqual(await cache.prefetch({ userIds: many }), { queued: 1_001, cached: 0, refused: 0 });
    await assert.rejects(cache.prefetch({ subjects: [] }), { code: 'invalid_request' });
    await assert.rejects(cache.prefetch({ subjects: ['alice'], userIds: ['1'] }), { code: 'invalid_request' });
    await assert.rejects(cache.prefetch({}), { code: 'invalid_request' });
    await assert.rejects(cache.prefetch({ subjects: ['alice'], signal: AbortSignal.abort() }), { name: 'AbortError' });
  }));

test('a client that is not closed keeps the process alive while a call waits, and no longer', () =>
  withStage(async (_, stage) => {
    const script = `
      import { TokenCache } from ${JSON.stringify(new URL('../index.mjs', import.meta.url))};
      const cache = new TokenCache();
      cache.token({ subject: 'alice' }).then((token) => console.log(token.source));`;
    const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
      env: { ...process.env, TOKENCACHED_SOCKET: stage.socket },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (text) => (output += text));
    try {
      const [status] = await within(once(child, 'close'), 'the end of the process');
      assert.equal(status, 0);
      assert.equal(output, 'tenant\n');
    } finally {
      child.kill();
    }
  }));
