import assert from 'node:assert/strict';
import { test } from 'node:test';

import { TokenCacheError } from '../index.mjs';
import { ProvisionedUsers } from '../lib/provisioned-users.js';

const alice = { subject: 'alice', name: 'Alice', email: 'alice@example.com', groups: ['portal-a', 'portal-b'] };
const profile = { ...alice, tenant: undefined };
const denied = () => Promise.reject(new TokenCacheError('denied', 'no'));

/** Users with a client and a clock of the test. What the client is asked next is answered by `outcomes`, if there are any. */
function makeUsers() {
  const calls = [];
  const outcomes = { provision: [], token: [] };
  const clock = { now: 0 };
  const ask = async (name, options) => {
    calls.push([name, options]);
    return outcomes[name].shift()?.();
  };
  const cache = { provision: (options) => ask('provision', options), token: (options) => ask('token', options) };
  const users = new ProvisionedUsers(cache, () => clock.now);
  const takeNames = () => calls.splice(0).map(([name]) => name).join();
  return { users, calls, outcomes, clock, takeNames };
}

/** A promise and the function that resolves it. */
function gate() {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  return { open, wait: () => opened };
}

test('a user is provisioned before the first token, and not again', async () => {
  const { users, calls, takeNames } = makeUsers();
  await users.token({ ...alice, tenant: 'main', scope: 's', traceparent: 't' });
  assert.deepEqual(calls.splice(0), [
    ['provision', { ...alice, tenant: 'main', timeout: 10 }],
    ['token', { subject: 'alice', tenant: 'main', scope: 's', traceparent: 't', timeout: 10 }],
  ]);
  await users.token({ ...alice, tenant: 'main' });
  assert.equal(takeNames(), 'token');
  await users.token({ ...alice, tenant: 'other' });
  assert.equal(takeNames(), 'provision,token');
});

test('a user without a name, an e-mail address and groups is not provisioned', async () => {
  const { users, calls } = makeUsers();
  await users.token({ subject: 'alice', name: null, email: undefined });
  await users.token({ userId: '1', scope: 's' });
  assert.deepEqual(calls, [['token', { subject: 'alice' }], ['token', { userId: '1', scope: 's' }]]);
  await assert.rejects(users.token({ userId: '1', groups: [] }), { code: 'invalid_request' });
  assert.equal(calls.length, 2);
});

test('a user is provisioned again when the name, the address or the set of groups has changed', async () => {
  const { users, takeNames } = makeUsers();
  await users.token(alice);
  takeNames();
  for (const groups of [['portal-b', 'portal-a'], ['portal-a', 'portal-a', 'portal-b']]) {
    await users.token({ ...alice, groups });
    assert.equal(takeNames(), 'token');
  }
  const changes = [{ groups: [] }, { groups: undefined }, { groups: ['portal-c'] }, { name: 'Al' }, { email: 'a@example.com' }];
  for (const change of changes) {
    await users.token({ ...alice, ...change });
    assert.equal(takeNames(), 'provision,token', JSON.stringify(change));
  }
});

test('pages that ask at once share one provision, and a page that is left does not end it', async () => {
  const { users, outcomes, takeNames } = makeUsers();
  const { open, wait } = gate();
  outcomes.provision.push(wait);
  const abandoned = new AbortController();
  const first = users.token({ ...alice, signal: abandoned.signal });
  const others = [users.token(alice), users.token(alice)];
  abandoned.abort();
  await assert.rejects(first, { name: 'AbortError' });
  assert.equal(takeNames(), 'provision');
  open();
  await Promise.all(others);
  assert.equal(takeNames(), 'token,token');
  await assert.rejects(users.token({ ...alice, groups: [], signal: abandoned.signal }), { name: 'AbortError' });
  assert.equal(takeNames(), '');
});

test('pages with other groups meanwhile share the provision of their own, and the latest is remembered', async () => {
  const { users, outcomes, takeNames } = makeUsers();
  const { open, wait } = gate();
  outcomes.provision.push(wait, wait);
  const other = { ...alice, groups: [] };
  const pages = [alice, other, alice, other, alice].map((user) => users.token(user));
  assert.equal(takeNames(), 'provision,provision');
  open();
  await Promise.all(pages);
  assert.equal(takeNames(), 'token,token,token,token,token');
  await users.token(other);
  assert.equal(takeNames(), 'token');
  await users.token(alice);
  assert.equal(takeNames(), 'provision,token');
});

test('a failed provision is the error of all who waited for it, and is not remembered', async () => {
  const { users, outcomes, takeNames } = makeUsers();
  const error = new TokenCacheError('conflict', 'several');
  outcomes.provision.push(() => Promise.reject(error));
  const results = await Promise.allSettled([users.token(alice), users.token(alice)]);
  assert.deepEqual(results.map(({ reason }) => reason), [error, error]);
  assert.equal(takeNames(), 'provision');
  await users.token(alice);
  assert.equal(takeNames(), 'provision,token');
});

test('the token of a remembered user that is denied has the user provisioned once more, for all pages once', async () => {
  const { users, outcomes, takeNames } = makeUsers();
  await users.token(alice);
  takeNames();
  outcomes.token.push(denied, denied);
  await Promise.all([users.token(alice), users.token(alice)]);
  assert.equal(takeNames(), 'token,token,provision,token,token');
});

test('a user whose token is denied right after provisioning is not provisioned again for a minute', async () => {
  const { users, outcomes, clock, takeNames } = makeUsers();
  outcomes.token.push(denied);
  await assert.rejects(users.token(alice), { code: 'denied' });
  assert.equal(takeNames(), 'provision,token');
  clock.now = 59_999;
  outcomes.token.push(denied);
  await assert.rejects(users.token(alice), { code: 'denied' });
  assert.equal(takeNames(), 'token');
  clock.now = 60_000;
  outcomes.token.push(denied, denied);
  await assert.rejects(users.token(alice), { code: 'denied' });
  assert.equal(takeNames(), 'token,provision,token');
  outcomes.token.push(denied);
  await assert.rejects(users.token(alice), { code: 'denied' });
  assert.equal(takeNames(), 'token');
});

test('an error other than denied is no reason to provision', async () => {
  const { users, outcomes, takeNames } = makeUsers();
  await users.token(alice);
  takeNames();
  outcomes.token.push(() => Promise.reject(new TokenCacheError('unavailable', 'away')));
  await assert.rejects(users.token(alice), { code: 'unavailable' });
  assert.equal(takeNames(), 'token');
});

test('the timeout is for all that a page needs', async () => {
  const { users, calls, outcomes, clock } = makeUsers();
  outcomes.provision.push(() => void (clock.now += 1_500));
  await users.token({ ...alice, timeout: 2 });
  assert.deepEqual(calls.map(([name, { timeout }]) => [name, timeout]), [['provision', 2], ['token', 0.5]]);
  outcomes.provision.push(() => void (clock.now += 3_000));
  await users.token({ ...alice, groups: [], timeout: 2 });
  assert.equal(calls.at(-1)[1].timeout, 0);
  for (const timeout of [-1, '5']) {
    await users.token({ ...alice, groups: ['other'], timeout });
    assert.deepEqual(calls.at(-2), ['provision', { ...profile, groups: ['other'], timeout }]);
    await users.token({ ...alice, timeout: 2 });
  }
});

test('the last ten thousand users are remembered', async () => {
  const { users, takeNames } = makeUsers();
  for (let index = 0; index < 10_000; index += 1) await users.token({ subject: `user-${index}`, groups: [] });
  await users.token({ subject: 'user-0', groups: [] });
  takeNames();
  await users.token({ subject: 'late', groups: [] });
  await users.token({ subject: 'user-0', groups: [] });
  assert.equal(takeNames(), 'provision,token,token');
  await users.token({ subject: 'user-1', groups: [] });
  assert.equal(takeNames(), 'provision,token');
});
