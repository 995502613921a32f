import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'node:test';

const directory = fileURLToPath(new URL('..', import.meta.url));
const flag = '--no-experimental-require-module';
// Later versions of Node can require ES modules. Node 18 can't, and has no flag for it.
const asNode18 = process.allowedNodeEnvironmentFlags.has('--experimental-require-module') ? [flag] : [];

/** The output of a script that uses the package by its name. */
async function run(type, script) {
  const options = [...asNode18, `--input-type=${type}`, '--eval', script];
  return (await promisify(execFile)(process.execPath, options, { cwd: directory })).stdout.trim();
}

test('the package can be required and imported, with the same classes', async () => {
  const names = 'Token,TokenCache,TokenCacheError';
  assert.equal(await run('commonjs', "console.log(Object.keys(require('tokencached')).join())"), names);
  assert.equal(await run('module', "console.log(Object.keys(await import('tokencached')).join())"), names);
  const ofModule = 'authModule,register';
  assert.equal(await run('commonjs', "console.log(Object.keys(require('tokencached/qlik-api')).join())"), ofModule);
  assert.equal(await run('module', "console.log(Object.keys(await import('tokencached/qlik-api')).join())"), ofModule);
  const same = `
    import { createRequire } from 'node:module';
    import { TokenCacheError } from 'tokencached';
    console.log(createRequire(import.meta.url)('tokencached').TokenCacheError === TokenCacheError);`;
  assert.equal(await run('module', same), 'true');
});
