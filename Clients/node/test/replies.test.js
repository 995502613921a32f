import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Exchange } from '../lib/exchange.js';
import { encode } from '../lib/operations.js';
import { casesOf, wireNames } from './support/player.js';
import { expectMembers } from './support/values.js';

const optionsOf = {
  token: { subject: 'alice' },
  prefetch: { subjects: ['alice'] },
  invalidate: { subject: 'alice', accessToken: 'a' },
  revoke: { subject: 'alice' },
  hello: {},
};

/** What a line is to the call with the id 1. */
function receive(operation, line) {
  const exchange = new Exchange();
  exchange.add({ name: operation, body: encode(operation, optionsOf[operation]).body, deadline: 10_000 });
  const conversation = exchange.connected();
  exchange.take(conversation, 0);
  return exchange.receive(conversation, Buffer.from(`${line}\n`));
}

for (const { name, operation, line, ...expected } of casesOf('replies.json')) {
  test(`${operation}: ${name}`, () => {
    const { ended, isUseful } = receive(operation, line);
    assert.equal(isUseful, expected.ends !== true);
    assert.equal(ended.length, expected.pending ? 0 : 1);
    const [{ error, answer } = {}] = ended;
    if (expected.error) expectMembers(wireNames(error), expected.error);
    if (expected.answer) {
      expectMembers({ ...wireNames(answer), access_token: answer.accessToken }, expected.answer);
    }
  });
}

test('a time that is none is no reply, and deep nesting does no harm', () => {
  const token = '"access_token":"a","token_type":"Bearer","expires_in":9,"scope":"s","source":"cache"';
  assert.equal(receive('token', `{"id":1,${token},"expires_at":"soon"}`).ended[0].error.code, 'bad_reply');
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  assert.equal(receive('revoke', `{"id":1,"revoked":true,"later":${nested}}`).ended.length, 1);
});
