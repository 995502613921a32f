import { once } from 'node:events';
import { createServer } from 'node:http';

import { TokenCache } from '../../../Clients/node/index.mjs';

// The backends that are compared. In all of them a header names the signed-in user, so that 200 users need no cookies.

const subjectOf = (request) => request.headers['x-user'];

/** What the application knows of the user. */
function userOf(request) {
  const subject = subjectOf(request);
  return { subject, name: `User ${subject}`, email: `${subject}@shop.example`, groups: ['portal-emea'] };
}

/** The backend of the vendor's tutorial, which has a token minted for each page view. */
export function mintingBackend(stage) {
  return serve(async (request, response) => {
    answer(response, await impersonate(stage, subjectOf(request)).catch(() => undefined));
  });
}

/** The backend of this example without its users' names and groups: it gets tokens from the daemon. */
export function cachingBackend(stage) { return daemonBackend(stage, subjectOf); }

/**
 * The backend of the vendor's guide to users and groups. For each page view it gets a token of its own, looks the user up
 * by e-mail, creates them if they are missing, brings their groups up to date, and gets the user's token. It keeps no token.
 */
export function loginBackend(stage) {
  return serve(async (request, response) => {
    answer(response, await logIn(stage, userOf(request)).catch(() => undefined));
  });
}

/** The backend of this example: the daemon creates users at their first page view, and has the tokens. */
export function provisioningBackend(stage) { return daemonBackend(stage, userOf); }

async function daemonBackend(stage, user) {
  const cache = new TokenCache({ path: stage.socket });
  const backend = await serve(cache.accessTokenHandler(user));
  return { ...backend, close: () => Promise.all([backend.close(), cache.close()]) };
}

async function logIn(stage, { subject, name, email, groups }) {
  const bearer = await grant(stage, { client_id: 'users', grant_type: 'client_credentials', scope: 'admin_classic' });
  const api = (method, path, body) => call(stage, method, `/api/v1/${path}`, body, bearer);
  const filter = encodeURIComponent(`email eq "${email}"`);
  const { data } = await api('GET', `users?filter=${filter}`);
  const user = data[0] ?? (await api('POST', 'users', { subject, name, email, status: 'active' }));
  const isInGroups = groups.every((group) => user.assignedGroups.some((assigned) => assigned.name === group));
  if (!isInGroups) {
    const value = groups.map((group) => ({ name: group, providerType: 'custom' }));
    await api('PATCH', `users/${user.id}`, [{ op: 'replace', path: '/assignedGroups', value }]);
  }
  return impersonate(stage, subject);
}

function impersonate(stage, subject) {
  return grant(stage, {
    client_id: 'stage',
    grant_type: 'urn:qlik:oauth:user-impersonation',
    user_lookup: { field: 'subject', value: subject },
    scope: 'user_default',
  });
}

async function grant(stage, body) {
  const reply = await call(stage, 'POST', '/oauth/token', { client_secret: 'stage-secret', ...body });
  return reply.access_token;
}

/** The JSON of the tenant's reply, if it has one. */
async function call(stage, method, path, body, bearer) {
  const headers = { accept: 'application/json' };
  if (body) headers['content-type'] = 'application/json';
  if (bearer) headers.authorization = `Bearer ${bearer}`;
  const reply = await fetch(stage.tenant + path, { method, headers, body: body && JSON.stringify(body) });
  const text = await reply.text();
  if (!reply.ok) throw new Error(`${method} ${path}: ${reply.status} ${text}`);
  return text && JSON.parse(text);
}

function answer(response, token) {
  response.writeHead(token ? 200 : 500, { 'content-type': 'text/plain' }).end(token);
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
