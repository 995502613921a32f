import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { Stage } from './support/stage.js';

// The package as npm would publish it: what is in it, and whether an application that installs it gets a token.

const run = promisify(execFile);
const source = fileURLToPath(new URL('..', import.meta.url));
const directory = await mkdtemp(join(tmpdir(), 'tokencached-package-'));
process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
const packed = await installPackage();

/** Runs npm without network and without its files in the home directory. */
async function npm(cwd, ...options) {
  const environment = { npm_config_cache: join(directory, 'cache'), npm_config_update_notifier: 'false' };
  const { stdout } = await run('npm', [...options, '--offline'], { cwd, env: { ...process.env, ...environment } });
  return stdout;
}

/** Runs a file in the application that has the package installed. */
async function runApp(socket, ...options) {
  const env = { ...process.env, TOKENCACHED_SOCKET: socket };
  const { stdout } = await run(process.execPath, options, { cwd: join(directory, 'app'), env });
  return stdout.trim();
}

/** Packs the package and installs it in an application. Returns npm's description of it. */
async function installPackage() {
  const [description] = JSON.parse(await npm(source, 'pack', '--json', '--pack-destination', directory));
  await mkdir(join(directory, 'app'));
  await writeFile(join(directory, 'app', 'package.json'), '{ "private": true }');
  const tarball = join(directory, description.filename);
  await npm(join(directory, 'app'), 'install', '--no-audit', '--no-fund', '--ignore-scripts', tarball);
  return description;
}

test('the package has the library, its declarations, its README and its license, and nothing else', () => {
  assert.deepEqual(packed.files.map((file) => file.path).sort(), [
    'LICENSE',
    'README.md',
    'index.d.mts',
    'index.d.ts',
    'index.js',
    'index.mjs',
    'lib/access-token-handler.js',
    'lib/connection-attempts.js',
    'lib/connections.js',
    'lib/exchange.js',
    'lib/fetch-as.js',
    'lib/fingerprints.js',
    'lib/operations.js',
    'lib/origins.js',
    'lib/pending-requests.js',
    'lib/provisioned-users.js',
    'lib/qlik-auth-module.js',
    'lib/recent-map.js',
    'lib/refused-token.js',
    'lib/reply-reader.js',
    'lib/reported-tokens.js',
    'lib/strings.js',
    'lib/token-cache-error.js',
    'lib/token-cache.js',
    'lib/token.js',
    'package.json',
    'qlik-api.d.mts',
    'qlik-api.d.ts',
    'qlik-api.js',
    'qlik-api.mjs',
  ]);
});

test('the package says what it is, where it comes from and what it needs', async () => {
  const installed = join(directory, 'app', 'node_modules', 'tokencached');
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8'));
  for (const member of ['description', 'keywords', 'homepage', 'bugs', 'license', 'repository', 'engines', 'types']) {
    assert.ok(manifest[member], member);
  }
  assert.deepEqual(Object.keys(manifest.dependencies ?? {}), []);
  assert.deepEqual(await readdir(join(directory, 'app', 'node_modules')), ['.package-lock.json', 'tokencached']);
  const license = await readFile(join(installed, 'LICENSE'), 'utf8');
  assert.equal(license, await readFile(new URL('../../../LICENSE', import.meta.url), 'utf8'));
});

test('an application that installs the package gets a token, by the lines of the README and by require', async () => {
  const readme = await readFile(join(directory, 'app', 'node_modules', 'tokencached', 'README.md'), 'utf8');
  const [, lines] = readme.match(/## Use\n\n```js\n([^]*?)```/);
  await writeFile(join(directory, 'app', 'readme.mjs'), `${lines}\nconsole.log(headers.authorization);\n`);
  const required = `
    const { TokenCache } = require('tokencached');
    new TokenCache().token({ subject: 'auth0|alice' }).then((token) => console.log('Bearer ' + token.accessToken));`;
  await writeFile(join(directory, 'app', 'required.cjs'), required);
  const stage = await Stage.open();
  try {
    const header = await runApp(stage.socket, 'readme.mjs');
    assert.match(header, /^Bearer [\w.-]{100,}$/);
    assert.equal(await runApp(stage.socket, 'required.cjs'), header);
  } finally {
    await stage.close();
  }
});

for (const [kind, file] of [['imported', 'app.mts'], ['required', 'app.cts']]) {
  test(`TypeScript finds the declarations of the ${kind} package`, async () => {
    const app = join(directory, 'app');
    const lines = [
      "import { TokenCache, type TokenOptions } from 'tokencached';",
      "import { type TokencachedAuthConfig } from 'tokencached/qlik-api';",
      "export const config: TokencachedAuthConfig = { host: 'x', subject: 'alice' };",
      "const options: TokenOptions = { subject: 'alice' };",
      'export const left: Promise<number> = new TokenCache().token(options).then((token) => token.expiresIn);',
      '// @ts-expect-error seconds are numbers',
      "new TokenCache({ restartGrace: '2s' });",
    ];
    await writeFile(join(app, file), lines.join('\n'));
    const { compilerOptions } = JSON.parse(await readFile(new URL('types/tsconfig.json', import.meta.url), 'utf8'));
    const configuration = join(app, `${file}.json`);
    await writeFile(configuration, JSON.stringify({ compilerOptions, files: [file] }));
    await run('tsc', ['--project', configuration]).catch(({ stdout }) => assert.fail(stdout));
  });
}
