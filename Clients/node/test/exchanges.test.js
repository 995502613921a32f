import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { Player, casesOf } from './support/player.js';
import { ScriptedServer } from './support/scripted-server.js';
import { TIMEOUT, resolve, within } from './support/values.js';

for (const exchange of casesOf('exchanges.json')) {
  test(exchange.name, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'tokencached-'));
    const server = new ScriptedServer(join(directory, 'scripted.sock'));
    const script = new Script(server);
    const player = new Player(join(directory, 'scripted.sock'), (step, player) => script.play(step, player), exchange.restart_grace);
    try {
      if (exchange.listening !== false) await server.listen();
      await player.play(exchange);
    } finally {
      await player.cache.close();
      await server.stop();
      await rm(directory, { recursive: true });
    }
  });
}

/** Plays the steps of the scripted server. */
class Script {
  #server;
  #connection;
  #ids = new Map();
  #filled;
  #waiting = [];

  constructor(server) {
    this.#server = server;
  }

  async play(step, player) {
    if (step.accept) this.#connection = await within(this.#server.accept(), 'a connection');
    else if (step.receive) await this.#receive(step, player.calls.get(step.receive));
    else if (step.send) await this.#send(step);
    else if (step.send_hex) await this.#connection.send(Buffer.from(step.send_hex, 'hex'));
    else if (step.hang_up) this.#connection.hangUp();
    else if (step.expect_end) await within(this.#connection.ended, 'the end of the connection');
    else if (step.listen === true) await this.#server.listen();
    else if (step.listen === false) await this.#server.unlisten();
    else if (step.pending) assert.equal(player.calls.get(step.pending).hasEnded, false);
    else if (step.fill) await this.#fill(step.fill);
    else if (step.drain) await this.#filled.send(this.#waiting.map(tokenReply).join(''));
    else if (step.crowd) await crowd(step, player.cache, () => this.#server.accept());
    else throw new Error('there is no such step');
  }

  async #receive({ receive: name, request, timeout: range }, call) {
    const { id, timeout, ...rest } = JSON.parse(await within(this.#connection.line(), `the request ${name}`));
    assert.ok(Number.isSafeInteger(id));
    this.#ids.set(name, id);
    assert.deepEqual(rest, resolve(request));
    if (!['token', 'provision'].includes(request.op)) return assert.equal(timeout, undefined);
    const [least, most] = range ?? [0.001, call.given.timeout ?? 10];
    assert.ok(timeout >= least && timeout <= most, `timeout is ${timeout}`);
  }

  async #fill(count) {
    this.#connection = this.#filled = await within(this.#server.accept(), 'a connection');
    while (this.#waiting.length < count) this.#waiting.push(JSON.parse(await this.#line()));
  }

  async #line() {
    return within(this.#connection.line(), 'a request');
  }

  async #send({ send, each_byte: eachByte }) {
    const text = resolve(send).replace(/\$\{(\w+)\}/g, (_, name) => this.#ids.get(name));
    if (eachByte) await this.#connection.sendBytes(text);
    else await this.#connection.send(text);
  }
}

async function crowd({ crowd: count, most_waiting: most }, cache, accept) {
  const subjects = Array.from({ length: count }, (_, index) => `user-${index}`);
  const ask = async (subject) => (await cache.token({ subject, timeout: TIMEOUT })).accessToken;
  const calls = Promise.all(subjects.map(ask));
  const connections = [];
  const replies = [];
  while (replies.length < count) {
    const connection = await within(accept(), 'a connection');
    connections.push(connection);
    for (let index = 0; index < most; index += 1) {
      const request = JSON.parse(await within(connection.line(), 'a request of the crowd'));
      replies.push(() => connection.send(tokenReply(request)));
    }
  }
  assert.ok(!connections.some(({ hasLine }) => hasLine), `more than ${most} requests wait`);
  replies.sort(() => Math.random() - 0.5);
  for (const reply of replies) await reply();
  assert.deepEqual(await within(calls, 'all calls'), subjects.map((subject) => `token of ${subject}`));
  await within(Promise.all(connections.slice(1).map(({ ended }) => ended)), 'the end of the connections');
}

function tokenReply({ id, subject }) {
  const token = { access_token: `token of ${subject}`, token_type: 'Bearer', expires_in: 60 };
  return `${JSON.stringify({ id, ...token, expires_at: '2026-11-23T22:10:00Z', scope: 's', source: 'cache' })}\n`;
}
