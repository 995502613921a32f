import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Exchange } from '../lib/exchange.js';

const LIMIT = 1_000;
const MOST_CONNECTIONS = 66;

const revocation = (subject) => ({ name: 'revoke', body: `"op":"revoke","subject":"${subject}"`, deadline: 10_000 });
const send = (exchange, connection) => exchange.send(connection, 0).split('\n').slice(0, -1);
const reply = (id) => Buffer.from(`{"id":${id},"revoked":true}\n`);

function fullExchange() {
  const exchange = new Exchange();
  const calls = Array.from({ length: LIMIT }, (_, index) => revocation(`user-${index}`));
  for (const call of calls) exchange.add(call);
  const connection = exchange.connected();
  assert.equal(send(exchange, connection).length, LIMIT);
  return { exchange, calls, connection };
}

test('a reply is read correctly wherever its bytes are split', () => {
  const bytes = Buffer.from('{"id":1,"revoked":true,"later":"ü🂡"}\n');
  for (let split = 0; split <= bytes.length; split += 1) {
    const exchange = new Exchange();
    const call = revocation('alice');
    exchange.add(call);
    const connection = exchange.connected();
    send(exchange, connection);
    const pieces = [bytes.subarray(0, split), bytes.subarray(split)];
    const completions = pieces.flatMap((piece) => exchange.receive(connection, piece).completions);
    assert.deepEqual(completions, [{ call, answer: { revoked: true, upstream: true } }], `split at ${split}`);
  }
});

test('a connection has at most a thousand requests without a reply, also those that were given up', () => {
  const { exchange, calls, connection } = fullExchange();
  exchange.giveUp(calls[0]);
  exchange.add(revocation('late'));
  assert.deepEqual(send(exchange, connection), []);
  exchange.receive(connection, reply(1));
  assert.deepEqual(send(exchange, connection), ['{"id":1001,"op":"revoke","subject":"late"}']);
});

test('if all connections are full, another one is needed until the first has capacity again', () => {
  const { exchange, connection: first } = fullExchange();
  assert.ok(!exchange.needsConnection);
  exchange.add(revocation('late'));
  assert.ok(exchange.needsConnection);
  const second = exchange.connected();
  assert.ok(!exchange.needsConnection);
  assert.deepEqual(send(exchange, second), ['{"id":1001,"op":"revoke","subject":"late"}']);
  exchange.receive(second, reply(1_001));
  // While the first is full, the next call will need the second.
  assert.ok(!exchange.isDispensable(second));
  exchange.receive(first, reply(7));
  assert.ok(exchange.isDispensable(second));
  assert.ok(!exchange.isDispensable(first));
});

test('there are at most as many connections as the daemon has capacity for', () => {
  const exchange = new Exchange();
  for (let index = 0; index < (MOST_CONNECTIONS + 1) * LIMIT; index += 1) exchange.add(revocation('alice'));
  let connections = 0;
  for (; exchange.needsConnection; connections += 1) send(exchange, exchange.connected());
  assert.equal(connections, MOST_CONNECTIONS);
  assert.ok(exchange.hasQueue);
});

test('a connection is closed when it is full of calls that were given up', () => {
  const { exchange, calls, connection } = fullExchange();
  for (const call of calls.slice(1)) exchange.giveUp(call);
  assert.ok(!exchange.isDispensable(connection));
  exchange.giveUp(calls[0]);
  assert.ok(exchange.isDispensable(connection));
  exchange.disconnected(connection);
  assert.ok(exchange.isEmpty);
});

test('while the daemon shuts down, no other connection is needed', () => {
  const exchange = new Exchange();
  exchange.add(revocation('alice'));
  exchange.add(revocation('bob'));
  const connection = exchange.connected();
  send(exchange, connection);
  exchange.receive(connection, Buffer.from('{"id":1,"error":"shutting_down"}\n'));
  assert.ok(!exchange.needsConnection);
  assert.ok(!exchange.isDispensable(connection));
  exchange.receive(connection, reply(2));
  assert.ok(exchange.isDispensable(connection));
  exchange.disconnected(connection);
  assert.ok(exchange.needsConnection);
});

test('calls that were under way are sent again before those that wait, unless they were given up', () => {
  const exchange = new Exchange();
  const [first, second, third] = ['a', 'b', 'c'].map(revocation);
  exchange.add(first);
  exchange.add(second);
  const connection = exchange.connected();
  send(exchange, connection);
  exchange.add(third);
  exchange.giveUp(first);
  exchange.disconnected(connection);
  assert.deepEqual(send(exchange, exchange.connected()), [
    '{"id":3,"op":"revoke","subject":"b"}',
    '{"id":4,"op":"revoke","subject":"c"}',
  ]);
});

test('a request for a token has the time that is left', () => {
  const exchange = new Exchange();
  const call = { name: 'token', body: '"op":"token"', deadline: 10_000 };
  exchange.add(call);
  const connection = exchange.connected();
  assert.equal(exchange.send(connection, 2_500.4), '{"id":1,"timeout":7.5,"op":"token"}\n');
  exchange.disconnected(connection);
  assert.equal(exchange.send(exchange.connected(), 11_000), '{"id":2,"timeout":0,"op":"token"}\n');
});
