import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const programs = {
  node: [process.execPath, fileURLToPath(new URL('../server.js', import.meta.url))],
  python: ['python3', fileURLToPath(new URL('../server.py', import.meta.url))],
};

/** One of the two backends as a process, for a daemon and a tenant. */
export class Backend {
  static async start(kind, { socket, front, port = 0, tokenTimeout = 10, stderr = 'inherit' }) {
    const backend = new Backend();
    const [program, ...options] = programs[kind];
    backend.process = spawn(program, options, {
      env: {
        ...process.env,
        PYTHONPATH: fileURLToPath(new URL('../../../Clients/python/src', import.meta.url)),
        PORT: String(port),
        TOKENCACHED_SOCKET: socket,
        EMBED_SCRIPT: `${front.url}/qlik-embed.js`,
        QLIK_TENANT: front.url,
        QLIK_CLIENT_ID: 'stage',
        TOKEN_TIMEOUT: String(tokenTimeout),
      },
      stdio: ['ignore', 'pipe', stderr],
    });
    const lines = createInterface(backend.process.stdout);
    const ended = once(backend.process, 'exit').then(() => Promise.reject(new Error('the backend did not start')));
    [backend.url] = await Promise.race([once(lines, 'line'), ended]);
    ended.catch(() => {});
    return backend;
  }

  async stop() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill('SIGTERM');
    await once(this.process, 'exit');
  }
}
