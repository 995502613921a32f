import assert from 'node:assert/strict';
import { createHash, webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

/** The lines of a README that a page needs, in a fenced or an indented block. */
const BLOCK = /```js\n(let lastToken;\n[^]*?)```|^( {4}let lastToken;\n(?: {4}.*\n|\n)+)/m;

/** `getAccessToken` of a README with a backend that gives these tokens, and what it asks that backend. */
async function pageOf(file, tokens) {
  const text = await readFile(new URL(file, import.meta.url), 'utf8');
  const [, fenced, indented] = text.match(BLOCK);
  const requests = [];
  const fetch = async (path, { method, headers }) => {
    requests.push({ path, method, refused: headers['x-refused-token'] });
    return new Response(tokens[requests.length - 1]);
  };
  const define = new Function('fetch', 'crypto', `${fenced ?? indented}; return getAccessToken;`);
  return { requests, getAccessToken: define(fetch, webcrypto) };
}

for (const file of ['../README.md']) {
  test(`the page of ${file} reports the refused token, and several charts send one request`, async () => {
    const { requests, getAccessToken } = await pageOf(file, ['one', 'two']);
    assert.deepEqual(await Promise.all([getAccessToken(), getAccessToken()]), ['one', 'one']);
    assert.equal(await getAccessToken(), 'two');
    const request = { path: '/access-token', method: 'POST' };
    const refused = createHash('sha256').update('one').digest('hex');
    assert.deepEqual(requests, [{ ...request, refused: undefined }, { ...request, refused }]);
  });
}
