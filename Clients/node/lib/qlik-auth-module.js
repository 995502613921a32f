'use strict';

const { checkOrigin, originsOf } = require('./origins.js');
const { ReportedTokens } = require('./reported-tokens.js');
const { isValidString } = require('./strings.js');
const { TokenCacheError } = require('./token-cache-error.js');

/** See `authModule` in qlik-api.d.ts. */
function authModule(cache, { origin } = {}) {
  const origins = origin === undefined ? cache.origins : originsOf(origin);
  if (origins.length === 0) throw new TypeError("'origin' should name the tenants to which tokens are sent");
  const tokens = new ReportedTokens(cache);
  const headers = async (hostConfig) => {
    const user = userOf(hostConfig);
    checkOrigin(origins, addressOf(hostConfig));
    return { Authorization: `Bearer ${await tokens.accessToken(user)}` };
  };
  return {
    getRestCallAuthParams: async ({ hostConfig }) => ({
      headers: await headers(hostConfig),
      queryParams: {},
      credentials: 'omit',
    }),
    getWebSocketAuthParams: async ({ hostConfig }) => ({ headers: await headers(hostConfig), queryParams: {} }),
    handleAuthenticationError: async ({ hostConfig, status, canRetry = true }) => {
      if (status === 401) tokens.refused(userOf(hostConfig));
      return { retry: status === 401 && canRetry, preventDefault: false };
    },
    validateHostConfig: (hostConfig) => userOf(hostConfig) !== undefined,
  };
}

/**
 * The user of a host config. Throws if it names none, or several.
 *
 * The vendor's client caches responses by the config as JSON. So the user has to be in the object itself, as a string: two
 * users of a function or of an inherited property would see each other's data.
 */
function userOf(hostConfig) {
  const { subject, userId, client, tenant, scope } = { ...hostConfig };
  const named = [subject, userId, client].filter((each) => each !== undefined && each !== null);
  if (named.length !== 1 || !named.every(isValidString)) {
    throw invalid("a host config should have exactly one of 'subject', 'userId' and 'client', as a string");
  }
  return { subject, userId, client, tenant, scope };
}

/** The address of a host config, as the vendor's client reads it. */
function addressOf({ host }) {
  const text = isValidString(host) ? host.trim() : '';
  const address = /^https?:\/\//i.test(text) ? text : `https://${text}`;
  try {
    return new URL(address);
  } catch {
    throw invalid("a host config should have the tenant's address as its 'host'");
  }
}

function invalid(message) {
  return new TokenCacheError('invalid_request', message);
}

module.exports = { authModule };
