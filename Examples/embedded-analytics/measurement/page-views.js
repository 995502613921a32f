import { cachingBackend, mintingBackend } from './backends.js';
import { compare } from './comparison.js';

// Compares a mint for each page view with tokens from the cache. The users are there.

await compare({
  backends: [['a call to the tenant for each view', mintingBackend], ['tokencached', cachingBackend]],
  calls: [['calls to the tenant', (counters) => counters.calls]],
});
