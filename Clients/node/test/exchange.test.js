import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Exchange } from '../lib/exchange.js';

const revocation = (subject) => ({ name: 'revoke', body: `"op":"revoke","subject":"${subject}"`, deadline: 10_000 });

test('a reply cut in two anywhere is one reply', () => {
  const bytes = Buffer.from('{"id":1,"revoked":true,"later":"ü🂡"}\n');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const exchange = new Exchange();
    const call = revocation('alice');
    exchange.add(call);
    exchange.take(0);
    const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)].map((piece) => exchange.receive(piece).ended);
    assert.deepEqual(pieces.flat(), [{ call, answer: { revoked: true, upstream: true } }], `cut at ${cut}`);
  }
});

test('not more than a thousand requests wait, those that were given up included', () => {
  const exchange = new Exchange();
  const calls = Array.from({ length: 1_002 }, (_, index) => revocation(`user-${index}`));
  for (const call of calls) exchange.add(call);
  assert.equal(exchange.take(0).split('\n').length - 1, 1_000);
  exchange.giveUp(calls[0]);
  exchange.giveUp(calls[1_000]);
  assert.equal(exchange.take(0), '');
  exchange.receive(Buffer.from('{"id":1,"revoked":true}\n'));
  assert.equal(exchange.take(0), '{"id":1001,"op":"revoke","subject":"user-1001"}\n');
});

test('what was under way on a connection that ended is asked before the rest, and not what was given up', () => {
  const exchange = new Exchange();
  const [first, second, third] = ['a', 'b', 'c'].map(revocation);
  exchange.add(first);
  exchange.add(second);
  exchange.take(0);
  exchange.add(third);
  exchange.giveUp(first);
  exchange.disconnected();
  assert.equal(exchange.take(0), '{"id":3,"op":"revoke","subject":"b"}\n{"id":4,"op":"revoke","subject":"c"}\n');
});

test('a token is asked for with the time that is left', () => {
  const exchange = new Exchange();
  const call = { name: 'token', body: '"op":"token"', deadline: 10_000 };
  exchange.add(call);
  assert.equal(exchange.take(2_500.4), '{"id":1,"timeout":7.5,"op":"token"}\n');
  exchange.disconnected();
  assert.equal(exchange.take(11_000), '{"id":2,"timeout":0,"op":"token"}\n');
});
