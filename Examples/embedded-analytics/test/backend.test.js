import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Stage } from '../../../Clients/node/test/support/stage.js';
import { Sessions } from '../session.js';
import { Backend } from '../stand-in/backend.js';

test('a session ends with its time, and nobody else can write one', () => {
  const sessions = new Sessions('secret', false);
  const cookie = sessions.start('alice', 0).split(';')[0];
  assert.equal(sessions.user(`other=1; ${cookie}`, 1_000), 'alice');
  assert.equal(sessions.user(cookie, 8 * 3_600_000), undefined);
  assert.equal(new Sessions('another', false).user(cookie, 1_000), undefined);
  const [name, content, signature] = cookie.split(/[=.]/);
  const forged = Buffer.from('{"user":"bob","until":1e15}').toString('base64url');
  for (const wrong of ['', `${name}=`, `${name}=${content}`, `${name}=${forged}.${signature}`, `${name}=${content}.x`]) {
    assert.equal(sessions.user(wrong, 1_000), undefined, wrong);
  }
});

for (const kind of ['node', 'python']) {
  test(`the ${kind} backend answers its own pages alone, and nobody's forged cookie`, async () => {
    const stage = await Stage.open();
    const backend = await Backend.start(kind, { socket: stage.socket, front: { url: 'http://127.0.0.1' } });
    const post = (path, headers, body) => fetch(backend.url + path, { method: 'POST', redirect: 'manual', headers, body });
    const own = { origin: new URL(backend.url).origin };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    try {
      const login = await post('login', { ...own, ...form }, 'user=alice');
      assert.equal(login.status, 303);
      const attributes = login.headers.get('set-cookie');
      assert.match(attributes, /; HttpOnly; SameSite=Lax$/);
      const cookie = attributes.split(';')[0];

      const token = await post('access-token', { ...own, cookie });
      assert.equal(token.status, 200);
      assert.equal(token.headers.get('cache-control'), 'no-store');
      for (const foreign of [{}, { origin: 'http://evil.example' }, { ...own, 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
        assert.equal((await post('access-token', { ...foreign, cookie })).status, 403);
        assert.equal((await post('logout', { ...foreign, cookie })).status, 403);
      }
      const forged = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`;
      assert.equal((await post('access-token', { ...own, cookie: forged })).status, 401);
      assert.equal((await post('login', { ...own, ...form }, 'user=mallory')).status, 400);
      const get = await fetch(`${backend.url}access-token`, { headers: { cookie } });
      assert.equal(get.status, 405);
    } finally {
      await backend.stop();
      await stage.close();
    }
  });
}
