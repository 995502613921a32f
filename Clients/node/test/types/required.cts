// The same for what is required.
import tokencached = require('../../index.js');

export const cache: tokencached.TokenCache = new tokencached.TokenCache();
export const token: Promise<tokencached.Token> = cache.token({ subject: 'alice' });
