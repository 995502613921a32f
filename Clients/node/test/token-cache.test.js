import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { inspect } from 'node:util';

import { TokenCache } from '../index.js';
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

test('a token shows only where it is asked for by name', () =>
  withStage(async (cache) => {
    const token = await cache.token({ subject: 'alice' });
    const secret = token.accessToken;
    assert.ok(secret.length > 500);
    for (const shown of [inspect(token), inspect({ token }, { showHidden: true }), JSON.stringify(token), `${token}`]) {
      assert.ok(!shown.includes(secret.slice(0, 20)), shown);
    }
    assert.equal({ ...token }.accessToken, undefined);
  }));

test('what is no request of the protocol is refused to its caller alone', () =>
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

test('a signal that is aborted already means that nothing is asked', () =>
  withStage(async (cache, stage) => {
    const reason = new Error('no longer needed');
    await assert.rejects(cache.token({ subject: 'alice', signal: AbortSignal.abort(reason) }), reason);
    assert.equal((await stage.control('counters')).calls, 0);
  }));

test('what waiting does not mend is unreachable at once', async () => {
  for (const path of [`/tmp/${'x'.repeat(200)}`, '/etc/hostname/socket']) {
    const since = performance.now();
    await assert.rejects(new TokenCache({ path }).hello({ timeout: 9 }), { code: 'unreachable' }, path);
    assert.ok(performance.now() - since < 2_000, path);
  }
});

test('a client that is not closed keeps the process alive while a call waits, and no longer', () =>
  withStage(async (_, stage) => {
    const script = `
      import { TokenCache } from ${JSON.stringify(new URL('../index.js', import.meta.url))};
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
