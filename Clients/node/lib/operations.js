'use strict';

const { delayOf, isValidString } = require('./strings.js');
const { TokenCacheError } = require('./token-cache-error.js');
const { Token } = require('./token.js');

// The options of each operation, their names in the protocol, and the result for the caller. The daemon checks what a
// value means. Here only its type is checked, so that a mistake of one caller is reported to that caller.

const string = { name: 'a string', fits: isValidString };
const number = { name: 'a finite number', fits: (value) => Number.isFinite(value) };
const boolean = { name: 'true or false', fits: (value) => typeof value === 'boolean' };
const strings = { name: 'a list of strings', fits: (value) => Array.isArray(value) && value.every(string.fits) };

const key = {
  subject: ['subject', string],
  userId: ['user_id', string],
  client: ['client', string],
  tenant: ['tenant', string],
  scope: ['scope', string],
};

const traceparent = ['traceparent', string];

/** The options of a prefetch that name users or clients. */
const LISTS = ['subjects', 'userIds', 'clients'];

// An operation that `sendsTimeout` has the time that is left in its line, because the daemon waits for the tenant.
const operations = {
  token: {
    sendsTimeout: true,
    members: {
      ...key,
      minTtl: ['min_ttl', number],
      noCache: ['no_cache', boolean],
      refusedTokenSha256: ['refused_token_sha256', string],
      traceparent,
    },
    answer: (reply) => (isToken(reply) ? new Token(reply) : undefined),
  },
  prefetch: {
    members: {
      subjects: ['subjects', strings],
      userIds: ['user_ids', strings],
      clients: ['clients', strings],
      tenant: key.tenant,
      scope: key.scope,
      traceparent,
    },
    answer: ({ queued, cached, refused = 0 }) =>
      [queued, cached, refused].every(Number.isInteger) ? { queued, cached, refused } : undefined,
  },
  invalidate: {
    members: { ...key, accessToken: ['access_token', string], tokenSha256: ['token_sha256', string] },
    answer: ({ invalidated, retry_after: retryAfter }) =>
      typeof invalidated === 'boolean' ? { invalidated, retryAfter: delayOf(retryAfter) } : undefined,
  },
  revoke: {
    members: { ...key, everywhere: ['everywhere', boolean], traceparent },
    answer: ({ revoked, upstream, upstream_revoked: upstreamRevoked }) =>
      typeof revoked === 'boolean' && (upstreamRevoked === undefined || Number.isInteger(upstreamRevoked))
        ? { revoked, upstream: upstream !== false, ...(upstreamRevoked !== undefined && { upstreamRevoked }) }
        : undefined,
  },
  provision: {
    sendsTimeout: true,
    members: {
      subject: key.subject,
      name: ['name', string],
      email: ['email', string],
      groups: ['groups', strings],
      tenant: key.tenant,
    },
    answer: ({ user_id: userId, status, created, groups_changed: groupsChanged, source = 'tenant' }) =>
      [userId, status, source].every(isValidString) && userId !== '' && [created, groupsChanged].every(boolean.fits)
        ? { userId, status, created, groupsChanged, source }
        : undefined,
  },
  hello: {
    members: {},
    answer: ({ server, version, protocol, ops, tenants, clients = [], max_line: maxLine }) =>
      [server, version].every(isValidString) &&
      [protocol, maxLine].every(Number.isInteger) &&
      [ops, tenants, clients].every(strings.fits)
        ? { server, version, protocol, operations: ops, tenants, clients, maxLine }
        : undefined,
  },
};

/** The time that a call may take, in seconds. */
const DEFAULT_TIMEOUT = 10;
const LONGEST_TIMEOUT = 300;
/**
 * The daemon's limits: users in a prefetch, and bytes of a line without the id and the timeout, which are added later.
 */
const MOST_USERS = 1_000;
const LONGEST_BODY = 65_536 - 64;

/** The members of a request as JSON without its braces, and the timeout in seconds. Throws if it can't be sent. */
function encode(name, options) {
  const members = { op: name };
  for (const [option, [member, kind]] of Object.entries(operations[name].members)) {
    const value = options[option];
    if (value === undefined || value === null) continue;
    if (!kind.fits(value)) throw new TokenCacheError('invalid_request', `'${option}' should be ${kind.name}`);
    members[member] = value;
  }
  const timeout = options.timeout ?? DEFAULT_TIMEOUT;
  if (!number.fits(timeout) || timeout < 0 || timeout > LONGEST_TIMEOUT) {
    throw new TokenCacheError('invalid_request', `'timeout' should be seconds, 0 to ${LONGEST_TIMEOUT}`);
  }
  const body = JSON.stringify(members).slice(1, -1);
  if (Buffer.byteLength(body) > LONGEST_BODY) throw new TokenCacheError('invalid_request', 'the request is too long');
  return { body, timeout };
}

/** The requests that a prefetch needs: each has 1,000 users, or fewer if their names are long. */
function encodePrefetch(options) {
  const named = LISTS.filter((name) => options[name] !== undefined && options[name] !== null);
  const [name] = named;
  // A request with several lists, or without one, is not split. Its error is found as in any request.
  if (named.length !== 1 || !strings.fits(options[name])) {
    const { body, timeout } = encode('prefetch', options);
    return { bodies: [body], timeout };
  }
  const { body, timeout } = encode('prefetch', { ...options, [name]: [] });
  const batches = batchesOf(options[name], LONGEST_BODY - Buffer.byteLength(body));
  return { bodies: batches.map((batch) => encode('prefetch', { ...options, [name]: batch }).body), timeout };
}

/** The users in their order, in batches of which each fits into a line. */
function batchesOf(users, capacity) {
  const batches = [[]];
  let size = 0;
  for (const user of users) {
    const length = Buffer.byteLength(JSON.stringify(user)) + ','.length;
    const last = batches.at(-1);
    if (last.length > 0 && (last.length === MOST_USERS || size + length > capacity)) {
      batches.push([user]);
      size = length;
    } else {
      last.push(user);
      size += length;
    }
  }
  return batches;
}

function isToken({ access_token: token, token_type: type, expires_in: left, expires_at: end, scope, source }) {
  const isDate = isValidString(end) && !Number.isNaN(Date.parse(end));
  return [token, type, scope, source].every(isValidString) && token !== '' && Number.isFinite(left) && isDate;
}

module.exports = { DEFAULT_TIMEOUT, encode, encodePrefetch, operations };
