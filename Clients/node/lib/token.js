'use strict';

const { inspect } = require('node:util');

/**
 * A user's access token and what the daemon says about it.
 *
 * Whoever has the token can act as that user until it expires. So only the getter `accessToken` gives it: it is in none
 * of `console.log`, `JSON.stringify` and a copy by spread.
 */
class Token {
  #accessToken;

  constructor(reply) {
    this.#accessToken = reply.access_token;
    this.tokenType = reply.token_type;
    this.expiresIn = reply.expires_in;
    this.expiresAt = new Date(reply.expires_at);
    this.scope = reply.scope;
    this.source = reply.source;
    this.stale = reply.stale === true;
    this.minTtlMet = reply.min_ttl_met !== false;
  }

  get accessToken() {
    return this.#accessToken;
  }

  [inspect.custom](depth, options, show) {
    return `Token ${show({ accessToken: '[redacted]', ...this }, options)}`;
  }
}

module.exports = { Token };
