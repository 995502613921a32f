import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { test } from 'node:test';

import { Stage } from '../../../Clients/node/test/support/stage.js';
import { Sessions } from '../session.js';
import { Backend } from '../stand-in/backend.js';

test('a session ends after its time or at the logout, and nobody can guess its name', () => {
  const sessions = new Sessions(false);
  const cookie = sessions.start('alice', 0).split(';')[0];
  assert.equal(sessions.user(`other=1; ${cookie}`, 1_000), 'alice');
  assert.equal(sessions.user(cookie, 8 * 3_600_000), undefined);
  for (const wrong of [undefined, '', 'session=', 'session=__proto__', `${cookie}0`, `other=1; x${cookie}`]) {
    assert.equal(sessions.user(wrong, 1_000), undefined, wrong);
  }
  const other = sessions.start('alice', 0).split(';')[0];
  assert.match(sessions.end(cookie), /^session=; Max-Age=0; /);
  assert.equal(sessions.user(cookie, 1_000), undefined);
  assert.equal(sessions.user(other, 1_000), 'alice');
});

/** Sends a request as it is, which HTTP clients would change. Returns the status of the response. */
async function raw(url, text) {
  const { hostname: host, port } = new URL(url);
  const socket = connect({ host, port });
  socket.setEncoding('utf8').write(text);
  let answer = '';
  for await (const chunk of socket) answer += chunk;
  return Number(answer.split(' ')[1]);
}

for (const kind of ['node', 'python']) {
  test(`the ${kind} backend serves only its own pages, and no forged cookie`, async () => {
    const stage = await Stage.open({ provisioning: true });
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

      const traceId = '0af7651916cd43dd8448eb211c80319c';
      const token = await post('access-token', { ...own, cookie, traceparent: `00-${traceId}-b7ad6b7169203331-01` });
      assert.equal(token.status, 200);
      const { traceparent } = (await stage.control('requests')).find(({ key }) => key?.value === 'auth0|alice');
      assert.equal(traceparent?.split('-')[1], traceId);
      assert.equal(token.headers.get('cache-control'), 'no-store');
      for (const foreign of [{}, { origin: 'http://evil.example' }, { ...own, 'sec-fetch-site': 'cross-site' }, { origin: 'null' }]) {
        assert.equal((await post('access-token', { ...foreign, cookie })).status, 403);
        assert.equal((await post('logout', { ...foreign, cookie })).status, 403);
      }
      const forged = `${cookie.slice(0, -1)}${cookie.endsWith('a') ? 'b' : 'a'}`;
      assert.equal((await post('access-token', { ...own, cookie: forged })).status, 401);
      assert.equal((await post('login', { ...own, ...form }, 'user=mallory')).status, 400);
      const get = await fetch(`${backend.url}access-token`, { headers: { cookie } });
      assert.equal(get.status, 405);
      assert.equal((await post('login', { ...own, ...form }, 'x'.repeat(1_001))).status, 413);
    } finally {
      await backend.stop();
      await stage.close();
    }
  });

  test(`the ${kind} backend ends the session at logout and revokes the token`, async () => {
    const stage = await Stage.open({ provisioning: true });
    const backend = await Backend.start(kind, { socket: stage.socket, front: { url: 'http://127.0.0.1' }, stderr: 'ignore' });
    const origin = new URL(backend.url).origin;
    const post = (path, headers, body) =>
      fetch(backend.url + path, { method: 'POST', redirect: 'manual', headers: { origin, ...headers }, body });
    const login = async () => {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' };
      return (await post('login', headers, 'user=alice')).headers.get('set-cookie').split(';')[0];
    };
    try {
      const cookie = await login();
      const token = await (await post('access-token', { cookie })).text();
      assert.ok((await stage.control('live', { token })).live);
      const logout = await post('logout', { cookie });
      assert.equal(logout.status, 303);
      assert.match(logout.headers.get('set-cookie'), /^session=; Max-Age=0/);
      assert.ok(!(await stage.control('live', { token })).live);
      // A copy of the cookie is useless now.
      assert.equal((await post('access-token', { cookie })).status, 401);
      assert.equal((await post('logout', { cookie })).status, 303);
      assert.equal((await stage.control('counters')).revocations, 1);
      // The logout works without a daemon, too.
      const again = await login();
      await stage.end('SIGKILL');
      assert.equal((await post('logout', { cookie: again })).status, 303);
      assert.equal((await post('access-token', { cookie: again })).status, 401);
    } finally {
      await backend.stop();
      await stage.close();
    }
  });

  test(`the ${kind} backend survives malformed requests`, async () => {
    const stage = await Stage.open({ provisioning: true });
    const backend = await Backend.start(kind, { socket: stage.socket, front: { url: 'http://127.0.0.1' } });
    const end = 'Host: x\r\nConnection: close\r\n\r\n';
    try {
      for (const target of ['//', '//[', 'http://[', 'http://x/login', '/%', '/__proto__', '*', '/constructor', '/\u00ff']) {
        const status = await raw(backend.url, `GET ${target} HTTP/1.1\r\n${end}`);
        assert.ok(status >= 200 && status < 500, `${target}: ${status}`);
      }
      for (const length of ['-1', '+1', 'x', '1_0', '0x1', '99999999999999999999']) {
        const status = await raw(backend.url, `POST /login HTTP/1.1\r\nContent-Length: ${length}\r\n${end}`);
        assert.ok([400, 413].includes(status), `${length}: ${status}`);
      }
      assert.equal(await raw(backend.url, `POST /login HTTP/1.1\r\nOrigin: http://[\r\nContent-Length: 0\r\n${end}`), 403);
      assert.equal((await fetch(`${backend.url}login`)).status, 200);
    } finally {
      await backend.stop();
      await stage.close();
    }
  });
}
