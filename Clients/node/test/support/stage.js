import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

import { TIMEOUT } from './values.js';

const programs = process.env.TOKENCACHED_PROGRAMS;

/** The real daemon with a stand-in tenant, in a directory of their own. */
export class Stage {
  /** With `provisioning` only users who exist get a token, and at first there are none. */
  static async open({ rate = 10_000_000, apiRate = 10_000_000, tenantOptions = [], provisioning = false } = {}) {
    if (!programs) throw new Error('TOKENCACHED_PROGRAMS should name the directory of the built programs');
    const stage = new Stage();
    stage.directory = await mkdtemp(join(tmpdir(), 'tokencached-'));
    stage.socket = join(stage.directory, 'requests.sock');
    await stage.#startTenant([...tenantOptions, ...(provisioning ? ['--users', 'strict'] : [])]);
    await writeFile(join(stage.directory, 'secret'), 'stage-secret', { mode: 0o600 });
    const template = await readFile(new URL('../../../conformance/daemon.yaml', import.meta.url), 'utf8');
    const values = { directory: stage.directory, tenant: stage.tenant, rate, api_rate: apiRate };
    const configuration = template.replace(/\$\{(\w+)\}/g, (_, name) => values[name]);
    await writeFile(join(stage.directory, 'tokencached.yaml'), configuration);
    await stage.start();
    return stage;
  }

  async #startTenant(options) {
    const ready = join(this.directory, 'tenant');
    this.standIn = this.#spawn('standin-tenant', '--client-id', 'stage', '--client-secret', 'stage-secret',
      '--client', 'backend:stage-secret:user_default', '--client', 'users:stage-secret:admin_classic',
      '--ready-file', ready, ...options);
    await eventually(async () => (this.tenant = (await readFile(ready, 'utf8')).trim()), 'the stand-in tenant');
  }

  async start() {
    this.daemon = this.#spawn('tokencached', '--config', join(this.directory, 'tokencached.yaml'),
      '--socket', this.socket, '--admin-socket', join(this.directory, 'admin.sock'));
    let log = '';
    const daemon = this.daemon;
    await new Promise((resolve, reject) => {
      daemon.stderr.on('data', (text) => (log += text).includes('the daemon serves') && resolve());
      daemon.stdout.on('data', (text) => (log += text).includes('the daemon serves') && resolve());
      daemon.on('exit', () => reject(new Error(`the daemon did not start: ${log}`)));
    });
  }

  /** Sends a signal that ends the daemon, and waits for the end. */
  async end(signal = 'SIGTERM') {
    this.daemon.kill(signal);
    await this.ended();
  }

  /** Suspends the daemon, and waits until it is suspended. */
  async suspend() {
    this.daemon.kill('SIGSTOP');
    await stopped(this.daemon.pid);
  }

  async ended() {
    if (this.daemon.exitCode === null && this.daemon.signalCode === null) await once(this.daemon, 'exit');
  }

  async control(path, body) {
    const init = body && { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const response = await fetch(`${this.tenant}/_control/${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }

  /** Waits until a counter of the stand-in has that value. */
  async counter(name, value) {
    let last;
    await eventually(async () => (last = (await this.control('counters'))[name]) === value, () => `${name}: ${last}`);
  }

  async close() {
    this.daemon.kill('SIGCONT');
    await this.end('SIGKILL');
    this.standIn.kill('SIGKILL');
    await rm(this.directory, { recursive: true, force: true });
  }

  #spawn(program, ...options) {
    const child = spawn(join(programs, program), options, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.stdout.setEncoding('utf8').resume();
    child.stderr.setEncoding('utf8').resume();
    return child;
  }
}

/** Waits until all threads of a process are stopped after SIGSTOP. */
export async function stopped(pid) {
  const states = async () =>
    Promise.all(
      (await readdir(`/proc/${pid}/task`)).map((id) => readFile(`/proc/${pid}/task/${id}/stat`, 'utf8')),
    );
  // The state follows the name, which is in parentheses.
  await eventually(async () => (await states()).every((each) => /\) T /.test(each)), 'a process to stop');
}

/** Repeats the check until the condition holds. */
async function eventually(condition, what) {
  const deadline = performance.now() + TIMEOUT * 1_000;
  for (;;) {
    if (await condition().catch(() => false)) return;
    if (performance.now() > deadline) throw new Error(`waited in vain: ${typeof what === 'string' ? what : what()}`);
    await pause(5);
  }
}
