import assert from 'node:assert/strict';
import { createHash, webcrypto } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

/** What `getAccessToken` of a README asks for, with a backend that gives these tokens. */
async function pageOf(file, tokens) {
  const text = await readFile(new URL(file, import.meta.url), 'utf8');
  const [lines] = text.match(/^ {4}let lastToken;\n(?: {4}.*\n|\n)+/m);
  const asked = [];
  const fetch = async (path, { method, headers }) => {
    asked.push({ path, method, refused: headers['x-refused-token'] });
    return new Response(tokens[asked.length - 1]);
  };
  return { asked, getAccessToken: new Function('fetch', 'crypto', `${lines}; return getAccessToken;`)(fetch, webcrypto) };
}

for (const file of ['../README.md']) {
  test(`the page of ${file} reports the token that was refused, and several charts ask once`, async () => {
    const { asked, getAccessToken } = await pageOf(file, ['one', 'two']);
    assert.deepEqual(await Promise.all([getAccessToken(), getAccessToken()]), ['one', 'one']);
    assert.equal(await getAccessToken(), 'two');
    const request = { path: '/access-token', method: 'POST' };
    const refused = createHash('sha256').update('one').digest('hex');
    assert.deepEqual(asked, [{ ...request, refused: undefined }, { ...request, refused }]);
  });
}
