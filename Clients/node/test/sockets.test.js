import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { TokenCache } from '../index.mjs';
import { Stage, stopped } from './support/stage.js';
import { within } from './support/values.js';

async function withDirectory(work) {
  const directory = await mkdtemp(join(tmpdir(), 'tokencached-'));
  try {
    await work(directory);
  } finally {
    await rm(directory, { recursive: true });
  }
}

async function withStage(work) {
  const stage = await Stage.open();
  try {
    await work(stage);
  } finally {
    await stage.close();
  }
}

/** The result of `hello` with a client of these options. */
async function hello(options, environment) {
  const before = process.env.TOKENCACHED_SOCKET;
  if (environment !== undefined) process.env.TOKENCACHED_SOCKET = environment;
  const cache = new TokenCache(options);
  if (before === undefined) delete process.env.TOKENCACHED_SOCKET;
  else process.env.TOKENCACHED_SOCKET = before;
  try {
    return await within(cache.hello({ timeout: 300 }), 'an answer');
  } finally {
    await cache.close();
  }
}

test('the socket is that of the environment, unless the variable is empty', () =>
  withStage(async ({ socket }) => {
    assert.equal((await hello({}, socket)).server, 'tokencached');
    assert.equal((await hello({}, `unix://${socket}`)).server, 'tokencached');
    assert.equal((await hello({ path: `unix://${socket}` }, '/elsewhere')).server, 'tokencached');
    const unset = hello({ restartGrace: 0 }, '');
    await assert.rejects(unset, { description: /^no daemon could be reached at \/run\/tokencached\/tokencached\.sock: / });
  }));

test('a path may have 107 bytes', () =>
  withStage(({ socket }) =>
    withDirectory(async (directory) => {
      const beginning = join(directory, 'ü'.repeat(10));
      const longest = beginning + 'x'.repeat(107 - Buffer.byteLength(beginning));
      await symlink(socket, longest);
      assert.equal((await hello({ path: longest })).server, 'tokencached');
    }),
  ));

test('an error that waiting does not fix is reported at once', async () => {
  for (const [path, reason] of [
    [`/${'x'.repeat(107)}`, "the path has 108 bytes, and a socket's at most 107"],
    ['', 'the path is empty'],
    ['unix://', 'the path is empty'],
    ['/tmp/a\0b', 'the path has a NUL in it'],
    ['/etc/hostname/socket', 'the connection failed with ENOTDIR'],
  ]) {
    const plain = path.replace('unix://', '');
    const error = { code: 'unreachable', description: `no daemon could be reached at ${plain}: ${reason}` };
    await assert.rejects(hello({ path }), error, path);
  }
});

test('a path that looks like a number is a file, and a path that is no string is an error', async () => {
  await assert.rejects(hello({ path: '80', restartGrace: 0 }), { description: /there is no socket$/ });
  for (const path of [80, Buffer.from('/tmp/s'), {}]) assert.throws(() => new TokenCache({ path }), TypeError);
  for (const restartGrace of [-1, 301, Number.NaN, 'long']) {
    assert.throws(() => new TokenCache({ restartGrace }), RangeError);
  }
});

test('a call waits for a daemon whose queue is full', () =>
  withDirectory(async (directory) => {
    const path = join(directory, 's');
    const script = `
      const answer = (line) => JSON.stringify({ id: JSON.parse(line).id, revoked: true }) + '\\n';
      const server = require('node:net').createServer((socket) => socket.on('data', (line) => socket.end(answer(line))));
      server.listen({ path: ${JSON.stringify(path)}, backlog: 1 }, () => console.log('listening'));`;
    const daemon = spawn(process.execPath, ['--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const cache = new TokenCache({ path, restartGrace: 0 });
    const others = [];
    try {
      await within(once(daemon.stdout, 'data'), 'the server');
      daemon.kill('SIGSTOP');
      await stopped(daemon.pid);
      await fill(path, others);
      const call = cache.revoke({ subject: 'alice', timeout: 300 });
      // The earlier attempt of the client has failed.
      await fill(path, others);
      daemon.kill('SIGCONT');
      assert.deepEqual(await within(call, 'an answer'), { revoked: true, upstream: true });
    } finally {
      for (const other of others) other.destroy();
      await cache.close();
      daemon.kill('SIGKILL');
      await once(daemon, 'close');
    }
  }));

/** Makes connections that nobody accepts, until the queue is full. */
async function fill(path, others) {
  for (;;) {
    const other = connect({ path });
    const isMade = once(other, 'connect').then(() => true, ({ code }) => (assert.equal(code, 'EAGAIN'), false));
    if (!(await within(isMade, 'a connection'))) return;
    others.push(other);
  }
}
