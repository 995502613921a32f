import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { TokenCache } from '../../index.mjs';

/**
 * Runs the work with a client of a daemon that answers each request with what the function returns. `requests` has all
 * that it was asked, without `id` and `timeout`.
 */
export async function withDaemon(answer, work, options) {
  const directory = await mkdtemp(join(tmpdir(), 'tokencached-'));
  const path = join(directory, 's');
  const requests = [];
  const server = createServer((socket) => {
    createInterface(socket).on('line', async (line) => {
      const { id, timeout, ...request } = JSON.parse(line);
      requests.push(request);
      socket.write(`${JSON.stringify({ id, ...(await answer(request, timeout)) })}\n`);
    });
    socket.on('error', () => {});
  });
  await once(server.listen(path), 'listening');
  const cache = new TokenCache({ path, ...options });
  try {
    return await work({ cache, requests });
  } finally {
    await cache.close();
    server.close();
    await rm(directory, { recursive: true });
  }
}

/** A reply with that token. */
export function tokenReply(token, source = 'cache') {
  return { access_token: token, token_type: 'Bearer', expires_in: 60, expires_at: '2026-11-23T22:10:00Z', scope: 's', source };
}

/** A reply that says that the user exists. */
export function userReply(more) {
  return { user_id: '1', status: 'active', created: false, groups_changed: false, ...more };
}
