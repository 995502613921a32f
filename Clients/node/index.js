export { TokenCache } from './lib/token-cache.js';
export { TokenCacheError } from './lib/token-cache-error.js';
export { Token } from './lib/token.js';
