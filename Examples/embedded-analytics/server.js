import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

import { TokenCache } from '../../Clients/node/index.mjs';
import { Sessions } from './session.js';
import { readSettings } from './settings.js';

// The users that the login page offers, with the subjects under which the tenant knows them. A real application signs its
// users in by its own means, and takes their groups from there, too. Those who are new to the tenant are created there.
const users = new Map([
  ['alice', { subject: 'auth0|alice', name: 'Alice Archer', email: 'alice@shop.example', groups: ['portal-emea'] }],
  ['bob', { subject: 'auth0|bob', name: 'Bob Baker', email: 'bob@shop.example', groups: ['portal-apac'] }],
]);

/** The longest body of a sign-in, in characters. */
const LONGEST_BODY = 1_000;

const settings = readSettings(process.env);
const sessions = new Sessions(settings.secureCookies);
const userOf = (request) => users.get(sessions.user(request.headers.cookie));

const cache = new TokenCache();
const accessToken = cache.accessTokenHandler(userOf, { timeout: settings.tokenTimeout });

const routes = new Map(Object.entries({
  'GET /': (request, response) => {
    const user = userOf(request);
    if (!user) return redirect(response, '/login');
    return page(response, 'analytics.html', {
      user: user.name,
      script: settings.embedScript,
      tenant: settings.tenant,
      client: settings.clientId,
      app: settings.appId,
      object: settings.objectId,
    });
  },
  'GET /login': (request, response) => page(response, 'login.html', {}),
  'POST /login': async (request, response) => {
    const form = await body(request);
    if (form === undefined) return text(response, 413, 'the request is too long');
    const user = new URLSearchParams(form).get('user');
    if (!users.has(user)) return text(response, 400, 'there is no such user');
    redirect(response, '/', { 'set-cookie': sessions.start(user) });
  },
  'POST /logout': async (request, response) => {
    const user = userOf(request);
    const cookie = sessions.end(request.headers.cookie);
    if (user) await revokeToken(user, request.headers);
    redirect(response, '/login', { 'set-cookie': cookie });
  },
  // The handler answers all methods.
  '/access-token': accessToken,
  'GET /analytics.js': (request, response) => file(response, 'analytics.js', 'text/javascript'),
  'GET /style.css': (request, response) => file(response, 'style.css', 'text/css'),
}));

const server = createServer(async (request, response) => {
  // The target of a request need not be a valid URL, so it is not parsed as one.
  const [path] = request.url.split('?');
  const route = routes.get(`${request.method} ${path}`) ?? routes.get(path);
  try {
    if (!route) return text(response, 404, 'there is nothing here');
    if (request.method === 'POST' && !isOwnPage(request)) return text(response, 403, 'this request comes from another site');
    await route(request, response);
  } catch (error) {
    console.error(error);
    if (!response.headersSent) text(response, 500, 'something went wrong');
  }
});

/** True if a page of this application sent the request. Browsers say so with each POST, and no page can change that. */
function isOwnPage({ headers }) {
  if (headers['sec-fetch-site']) return headers['sec-fetch-site'] === 'same-origin';
  try {
    return new URL(headers.origin).host === headers.host;
  } catch {
    return false;
  }
}

/** Revokes the user's token, so that copies of it are useless. The session has ended even if this fails. */
async function revokeToken({ subject }, { traceparent }) {
  try {
    await cache.revoke({ subject, timeout: settings.tokenTimeout, traceparent });
  } catch (error) {
    console.error(`the token of a user who signed out could not be revoked: ${error.message}`);
  }
}

/** The body of a request, or undefined if it is longer than that of a sign-in, which is a few bytes. */
async function body(request) {
  let received = '';
  for await (const chunk of request) {
    received += chunk;
    if (received.length > LONGEST_BODY) return undefined;
  }
  return received;
}

function redirect(response, location, headers = {}) {
  response.writeHead(303, { location, 'cache-control': 'no-store', ...headers }).end();
}

function text(response, status, content) {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(content);
}

async function file(response, name, type) {
  const content = await readFile(new URL(`public/${name}`, import.meta.url));
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8`, 'x-content-type-options': 'nosniff' }).end(content);
}

/** A page whose names of values are replaced by the values, escaped. */
async function page(response, name, values) {
  const template = await readFile(new URL(`public/${name}`, import.meta.url), 'utf8');
  const content = template.replace(/\{\{(\w+)\}\}/g, (_, key) => escape(values[key]));
  response.writeHead(200, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(content);
}

function escape(value) {
  return value.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

server.listen(settings.port, '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    server.close();
    server.closeAllConnections?.();
    cache.close();
  });
}
