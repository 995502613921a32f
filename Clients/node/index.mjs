import tokencached from './index.js';

export const { Token, TokenCache, TokenCacheError } = tokencached;
