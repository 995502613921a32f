'use strict';

const { TokenCache } = require('./lib/token-cache.js');
const { TokenCacheError } = require('./lib/token-cache-error.js');
const { Token } = require('./lib/token.js');

module.exports = { Token, TokenCache, TokenCacheError };
