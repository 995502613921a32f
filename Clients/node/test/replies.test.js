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
  provision: { subject: 'alice' },
  hello: {},
};

/** The effect of a line on the call with the id 1. */
function receive(operation, line) {
  const exchange = new Exchange();
  exchange.add({ name: operation, body: encode(operation, optionsOf[operation]).body, deadline: 10_000 });
  const connection = exchange.connected();
  exchange.send(connection, 0);
  return exchange.receive(connection, Buffer.from(`${line}\n`));
}

for (const { name, operation, line, ...expected } of casesOf('replies.json')) {
  test(`${operation}: ${name}`, () => {
    const { completions, isUsable } = receive(operation, line);
    assert.equal(isUsable, expected.ends !== true);
    assert.equal(completions.length, expected.pending ? 0 : 1);
    const [{ error, answer } = {}] = completions;
    if (expected.error) expectMembers(wireNames(error), expected.error);
    if (expected.answer) {
      expectMembers({ ...wireNames(answer), access_token: answer.accessToken }, expected.answer);
    }
  });
}

test('a reply with an invalid time is malformed, and deep nesting does no harm', () => {
  const token = '"access_token":"a","token_type":"Bearer","expires_in":9,"scope":"s","source":"cache"';
  assert.equal(receive('token', `{"id":1,${token},"expires_at":"soon"}`).completions[0].error.code, 'bad_reply');
  const nested = `${'['.repeat(100_000)}${']'.repeat(100_000)}`;
  assert.equal(receive('revoke', `{"id":1,"revoked":true,"later":${nested}}`).completions.length, 1);
});
