'use strict';

const { inspect } = require('node:util');

/**
 * A user's token as the daemon answered it.
 *
 * Whoever has the token is that user until it expires, so it shows only where it is asked for by name: it is no property
 * of its own, and neither `console.log`, `JSON.stringify` nor a copy by spread has it.
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
