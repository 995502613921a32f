import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Exchange } from '../lib/exchange.js';

const WINDOW = 1_000;
const MOST_CONNECTIONS = 66;

const revocation = (subject) => ({ name: 'revoke', body: `"op":"revoke","subject":"${subject}"`, deadline: 10_000 });
const take = (exchange, conversation) => exchange.take(conversation, 0).split('\n').slice(0, -1);
const reply = (id) => Buffer.from(`{"id":${id},"revoked":true}\n`);

function fullExchange() {
  const exchange = new Exchange();
  const calls = Array.from({ length: WINDOW }, (_, index) => revocation(`user-${index}`));
  for (const call of calls) exchange.add(call);
  const conversation = exchange.connected();
  assert.equal(take(exchange, conversation).length, WINDOW);
  return { exchange, calls, conversation };
}

test('a reply cut in two anywhere is one reply', () => {
  const bytes = Buffer.from('{"id":1,"revoked":true,"later":"ü🂡"}\n');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const exchange = new Exchange();
    const call = revocation('alice');
    exchange.add(call);
    const conversation = exchange.connected();
    take(exchange, conversation);
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)];
    const ended = pieces.flatMap((piece) => exchange.receive(conversation, piece).ended);
    assert.deepEqual(ended, [{ call, answer: { revoked: true, upstream: true } }], `cut at ${cut}`);
  }
});

test('a connection has a thousand requests, those that were given up included', () => {
  const { exchange, calls, conversation } = fullExchange();
  exchange.giveUp(calls[0]);
  exchange.add(revocation('late'));
  assert.deepEqual(take(exchange, conversation), []);
  exchange.receive(conversation, reply(1));
  assert.deepEqual(take(exchange, conversation), ['{"id":1001,"op":"revoke","subject":"late"}']);
});

test('where all connections are full, another one is wanted', () => {
  const { exchange, conversation: first } = fullExchange();
  assert.ok(!exchange.wantsConnection);
  exchange.add(revocation('late'));
  assert.ok(exchange.wantsConnection);
  const second = exchange.connected();
  assert.ok(!exchange.wantsConnection);
  assert.deepEqual(take(exchange, second), ['{"id":1001,"op":"revoke","subject":"late"}']);
  exchange.receive(second, reply(1_001));
  // As long as the first is full, the next call will need it.
  assert.ok(!exchange.isDispensable(second));
  exchange.receive(first, reply(7));
  assert.ok(exchange.isDispensable(second));
  assert.ok(!exchange.isDispensable(first));
});

test('there are not more connections than the daemon has room for', () => {
  const exchange = new Exchange();
  for (let index = 0; index < (MOST_CONNECTIONS + 1) * WINDOW; index += 1) exchange.add(revocation('alice'));
  let connections = 0;
  for (; exchange.wantsConnection; connections += 1) take(exchange, exchange.connected());
  assert.equal(connections, MOST_CONNECTIONS);
  assert.ok(exchange.hasQueue);
});

test('a connection that is full of calls that were given up is dispensable', () => {
  const { exchange, calls, conversation } = fullExchange();
  for (const call of calls.slice(1)) exchange.giveUp(call);
  assert.ok(!exchange.isDispensable(conversation));
  exchange.giveUp(calls[0]);
  assert.ok(exchange.isDispensable(conversation));
  exchange.disconnected(conversation);
  assert.ok(exchange.isEmpty);
});

test('while the daemon drains a connection, no other is wanted', () => {
  const exchange = new Exchange();
  exchange.add(revocation('alice'));
  exchange.add(revocation('bob'));
  const conversation = exchange.connected();
  take(exchange, conversation);
  exchange.receive(conversation, Buffer.from('{"id":1,"error":"shutting_down"}\n'));
  assert.ok(!exchange.wantsConnection);
  assert.ok(!exchange.isDispensable(conversation));
  exchange.receive(conversation, reply(2));
  assert.ok(exchange.isDispensable(conversation));
  exchange.disconnected(conversation);
  assert.ok(exchange.wantsConnection);
});

test('what was under way on a connection that ended is asked before the rest, and not what was given up', () => {
  const exchange = new Exchange();
  const [first, second, third] = ['a', 'b', 'c'].map(revocation);
  exchange.add(first);
  exchange.add(second);
  const conversation = exchange.connected();
  take(exchange, conversation);
  exchange.add(third);
  exchange.giveUp(first);
  exchange.disconnected(conversation);
  assert.deepEqual(take(exchange, exchange.connected()), [
    '{"id":3,"op":"revoke","subject":"b"}',
    '{"id":4,"op":"revoke","subject":"c"}',
  ]);
});

test('a token is asked for with the time that is left', () => {
  const exchange = new Exchange();
  const call = { name: 'token', body: '"op":"token"', deadline: 10_000 };
  exchange.add(call);
  const conversation = exchange.connected();
  assert.equal(exchange.take(conversation, 2_500.4), '{"id":1,"timeout":7.5,"op":"token"}\n');
  exchange.disconnected(conversation);
  assert.equal(exchange.take(exchange.connected(), 11_000), '{"id":2,"timeout":0,"op":"token"}\n');
});
