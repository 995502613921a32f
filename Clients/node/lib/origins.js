'use strict';

const { TokenCacheError } = require('./token-cache-error.js');

/** The origins that an application names, as one URL or several; throws a TypeError where one is no web address. */
function originsOf(named = []) {
  return [named].flat().map((each) => {
    const { origin, protocol } = new URL(each);
    if (protocol !== 'https:' && protocol !== 'http:') throw new TypeError(`'origin' should be a web address, not ${each}`);
    return origin;
  });
}

/** Throws where a token may not go to that URL. */
function checkOrigin(origins, url) {
  if (origins.length === 0) {
    throw new TokenCacheError('invalid_request', "'origin' should name the tenant's own, as the token goes nowhere else");
  }
  const { origin } = new URL(url);
  if (origins.includes(origin)) return;
  throw new TokenCacheError('invalid_request', `the token goes to ${origins.join(' and ')} only, not to ${origin}`);
}

module.exports = { checkOrigin, originsOf };
