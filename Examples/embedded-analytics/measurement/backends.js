import { once } from 'node:events';
import { createServer } from 'node:http';

import { TokenCache } from '../../../Clients/node/index.mjs';

// The two backends that are compared. In both a header names the signed-in user, so that 200 users need no cookies.

const userOf = (request) => request.headers['x-user'];

/** The backend of the vendor's tutorial, which has a token minted for each page view. */
export function mintingBackend(stage) {
  return serve(async (request, response) => {
    const reply = await fetch(`${stage.tenant}/oauth/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      body: JSON.stringify({
        client_id: 'stage',
        client_secret: 'stage-secret',
        grant_type: 'urn:qlik:oauth:user-impersonation',
        user_lookup: { field: 'subject', value: userOf(request) },
        scope: 'user_default',
      }),
    });
    const { access_token: token } = await reply.json();
    response.writeHead(token ? 200 : 500, { 'content-type': 'text/plain' }).end(token);
  });
}

/** The backend of this example, which gets tokens from the daemon. */
export async function cachingBackend(stage) {
  const cache = new TokenCache({ path: stage.socket });
  const backend = await serve(cache.accessTokenHandler(userOf));
  return { ...backend, close: () => Promise.all([backend.close(), cache.close()]) };
}

async function serve(handler) {
  const server = createServer(handler);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = async () => {
    server.close();
    server.closeAllConnections?.();
  };
  return { url: `http://127.0.0.1:${server.address().port}/access-token`, close };
}
