import { TokenCacheError } from './token-cache-error.js';
import { Token } from './token.js';

// What each operation takes, what it is called on the wire, and what its reply is to the caller. The daemon decides what
// a value means; here it is only made sure that the line can be read, so that one caller's slip is answered to that caller.

const text = {
  name: 'a string',
  // A lone surrogate can't be written in UTF-8.
  fits: (value) => typeof value === 'string' && !/\p{Surrogate}/u.test(value),
};
const number = { name: 'a finite number', fits: (value) => Number.isFinite(value) };
const flag = { name: 'true or false', fits: (value) => typeof value === 'boolean' };
const texts = { name: 'a list of strings', fits: (value) => Array.isArray(value) && value.every(text.fits) };

const key = { subject: ['subject', text], userId: ['user_id', text], tenant: ['tenant', text], scope: ['scope', text] };

export const operations = {
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
      Number.isInteger(queued) && Number.isInteger(cached) ? { queued, cached, refused } : undefined,
  },
  invalidate: {
    members: { ...key, accessToken: ['access_token', text], tokenSha256: ['token_sha256', text] },
    answer: ({ invalidated, retry_after: retryAfter }) =>
      typeof invalidated === 'boolean' ? { invalidated, retryAfter } : undefined,
  },
  revoke: {
    members: key,
    answer: ({ revoked, upstream = true }) => (typeof revoked === 'boolean' ? { revoked, upstream } : undefined),
  },
  hello: {
    members: {},
    answer: ({ server, version, protocol, ops, tenants, max_line: maxLine }) =>
      Number.isInteger(protocol) && Array.isArray(ops)
        ? { server, version, protocol, operations: ops, tenants, maxLine }
        : undefined,
  },
};

/** What is common to all: how long the caller waits, in seconds, and how it changes its mind. */
const DEFAULT_TIMEOUT = 10;
const LONGEST_TIMEOUT = 300;

/** The members of a request as JSON without its braces, and the time-out; throws what can't be sent. */
export function encode(name, options) {
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
  return { body: JSON.stringify(members).slice(1, -1), timeout };
}

function isToken({ access_token: token, expires_in: left, expires_at: end }) {
  return typeof token === 'string' && token !== '' && Number.isFinite(left) && typeof end === 'string';
}
