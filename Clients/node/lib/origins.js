'use strict';

const { TokenCacheError } = require('./token-cache-error.js');

/** The origins that an application has named, by one URL or several. Throws a TypeError if one is no web address. */
function originsOf(named = []) {
  return [named].flat().map((each) => {
    const { origin, protocol } = new URL(each);
    if (protocol === 'https:' || protocol === 'http:') return origin;
    throw new TypeError(`'origin' should be a web address, not ${each}`);
  });
}

/** Throws if a token may not be sent to that URL. */
function checkOrigin(origins, url) {
  if (origins.length === 0) {
    const message = "'origin' should name the tenant's own, the only one to which a token is sent";
    throw new TokenCacheError('invalid_request', message);
  }
  const { origin } = new URL(url);
  if (origins.includes(origin)) return;
  throw new TokenCacheError('invalid_request', `a token is sent only to ${origins.join(' and ')}, not to ${origin}`);
}

module.exports = { checkOrigin, originsOf };
