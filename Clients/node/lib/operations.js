'use strict';

const { isText, pauseOf } = require('./texts.js');
const { TokenCacheError } = require('./token-cache-error.js');
const { Token } = require('./token.js');

// What each operation takes, what it is called on the wire, and what its reply is to the caller. The daemon decides what
// a value means; here it is only made sure that the line can be read, so that one caller's slip is answered to that caller.

const text = { name: 'a string', fits: isText };
const number = { name: 'a finite number', fits: (value) => Number.isFinite(value) };
const flag = { name: 'true or false', fits: (value) => typeof value === 'boolean' };
const texts = { name: 'a list of strings', fits: (value) => Array.isArray(value) && value.every(text.fits) };

const key = { subject: ['subject', text], userId: ['user_id', text], tenant: ['tenant', text], scope: ['scope', text] };

const operations = {
  token: {
    members: { ...key, minTtl: ['min_ttl', number], noCache: ['no_cache', flag] },
    answer: (reply) => (isToken(reply) ? new Token(reply) : undefined),
  },
  prefetch: {
    members: {
      subjects: ['subjects', texts],
      userIds: ['user_ids', texts],
      tenant: key.tenant,
      scope: key.scope,
    },
    answer: ({ queued, cached, refused = 0 }) =>
      [queued, cached, refused].every(Number.isInteger) ? { queued, cached, refused } : undefined,
  },
  invalidate: {
    members: { ...key, accessToken: ['access_token', text], tokenSha256: ['token_sha256', text] },
    answer: ({ invalidated, retry_after: retryAfter }) =>
      typeof invalidated === 'boolean' ? { invalidated, retryAfter: pauseOf(retryAfter) } : undefined,
  },
  revoke: {
    members: key,
    answer: ({ revoked, upstream }) =>
      typeof revoked === 'boolean' ? { revoked, upstream: upstream !== false } : undefined,
  },
  hello: {
    members: {},
    answer: ({ server, version, protocol, ops, tenants, max_line: maxLine }) =>
      [server, version].every(isText) && [protocol, maxLine].every(Number.isInteger) && [ops, tenants].every(texts.fits)
        ? { server, version, protocol, operations: ops, tenants, maxLine }
        : undefined,
  },
};

/** What is common to all: how long the caller waits, in seconds, and how it changes its mind. */
const DEFAULT_TIMEOUT = 10;
const LONGEST_TIMEOUT = 300;
/** The daemon's limits: users in a prefetch, and bytes of a line, less the longest id and time-out that stand before. */
const MOST_USERS = 1_000;
const LONGEST_BODY = 65_536 - 64;

/** The members of a request as JSON without its braces, and the time-out in seconds; throws what can't be sent. */
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

/** A prefetch as one request, or as many as its users need: a line takes 1,000, or fewer where their ids are long. */
function encodePrefetch({ subjects, userIds, ...rest }) {
  const [name, users] = subjects === undefined || subjects === null ? ['userIds', userIds] : ['subjects', subjects];
  // Where both are given, or what is given is none, there is nothing to split, and the error is that of any request.
  if ((subjects && userIds) || !texts.fits(users)) {
    const { body, timeout } = encode('prefetch', { subjects, userIds, ...rest });
    return { bodies: [body], timeout };
  }
  const { body, timeout } = encode('prefetch', { ...rest, [name]: [] });
  const parts = partsOf(users, LONGEST_BODY - Buffer.byteLength(body));
  return { bodies: parts.map((part) => encode('prefetch', { ...rest, [name]: part }).body), timeout };
}

/** The users in their order, in parts that fit into a line. */
function partsOf(users, room) {
  const parts = [[]];
  let size = 0;
  for (const user of users) {
    const length = Buffer.byteLength(JSON.stringify(user)) + ','.length;
    const last = parts.at(-1);
    if (last.length > 0 && (last.length === MOST_USERS || size + length > room)) {
      parts.push([user]);
      size = length;
    } else {
      last.push(user);
      size += length;
    }
  }
  return parts;
}

function isToken({ access_token: token, token_type: type, expires_in: left, expires_at: end, scope, source }) {
  const isDate = isText(end) && !Number.isNaN(Date.parse(end));
  return [token, type, scope, source].every(isText) && token !== '' && Number.isFinite(left) && isDate;
}

module.exports = { encode, encodePrefetch, operations };
