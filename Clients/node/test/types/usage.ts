// Compiled, not run: what the declarations allow, and what they don't.
import { Token, TokenCache, TokenCacheError } from '../../index.mjs';
import { authModule, register, type TokencachedAuthConfig } from '../../qlik-api.mjs';

const cache: TokenCache = new TokenCache({
  path: '/run/tokencached/tokencached.sock',
  origin: ['https://x', new URL('https://y')],
  restartGrace: 5,
});
const { signal } = new AbortController();

export async function calls(): Promise<string> {
  const token: Token = await cache.token({ subject: 'alice', minTtl: 60, scope: 's', tenant: 'main', noCache: true, signal });
  await cache.token({ userId: '1', timeout: 0.5, traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' });
  const { queued, cached, refused }: { queued: number; cached: number; refused: number } = await cache.prefetch({
    subjects: ['alice'] as const,
  });
  const { invalidated, retryAfter } = await cache.invalidate({ subject: 'alice', accessToken: token.accessToken });
  const { revoked, upstream } = await cache.revoke({ userId: '1', traceparent: undefined });
  await cache.token({ client: 'backend', refusedToken: token.accessToken });
  await cache.token({ userId: '1', refusedTokenSha256: '00' });
  await cache.prefetch({ clients: ['backend'], tenant: 'main' });
  const { upstreamRevoked }: { upstreamRevoked?: number } = await cache.revoke({ subject: 'alice', everywhere: true });
  const { userId, status, created, groupsChanged, source }: {
    userId: string;
    status: string;
    created: boolean;
    groupsChanged: boolean;
    source: string;
  } = await cache.provision({ subject: 'alice', name: 'Alice', groups: ['portal-emea'] as const, tenant: 'main', timeout: 5 });
  console.log(upstreamRevoked, userId, status, created, groupsChanged, source);
  const { operations, maxLine } = await cache.hello();
  await cache.close();
  const end: Date = token.expiresAt;
  return [queued, cached, refused, invalidated, retryAfter, revoked, upstream, operations, maxLine, end].join();
}

export function describe(error: unknown): string {
  if (!(error instanceof TokenCacheError)) return 'another';
  const wait: number | undefined = error.retryAfter;
  return `${error.code} ${error.description} ${wait} ${error.upstream?.status}`;
}

interface Request {
  method: string;
  headers: Record<string, string>;
  session: { userId?: string };
}

export const handlers = [
  cache.accessTokenHandler((request: Request) => request.session.userId),
  cache.accessTokenHandler((request: Request) => ({ userId: request.session.userId })),
  cache.accessTokenHandler(async (request: Request) => ({ userId: request.method, scope: 's' }), { timeout: 5, log: (line: string) => line.length }),
  cache.accessTokenHandler((request: Request) => ({
    subject: request.session.userId,
    name: 'Alice',
    email: null,
    groups: ['portal-emea'],
  })),
];

const auth = { registerAuthModule: (name: string, { validateHostConfig }: { validateHostConfig: unknown }) => void validateHostConfig };
register(auth, cache);
register(auth, cache, { origin: ['https://x'] });
export const params: Promise<{ headers: Record<string, string> }> = authModule(cache).getRestCallAuthParams({ hostConfig: {} });
export const config: TokencachedAuthConfig = { host: 'x', subject: 'alice', scope: 's' };
export const origins: string[] = cache.origins;

export const response: Promise<Response> = cache.fetch('alice', new URL('https://x/'), { method: 'POST', signal });
export const other: Promise<Response> = cache.fetch({ userId: '1', tenant: 'b', origin: 'https://y' }, 'https://y/');

// @ts-expect-error nobody is named
cache.token({});
// @ts-expect-error two are named
cache.token({ subject: 'alice', userId: '1' });
// @ts-expect-error seconds are numbers
cache.token({ subject: 'alice', timeout: '5s' });
// @ts-expect-error a user and a client are named
cache.token({ subject: 'alice', client: 'backend' });
// @ts-expect-error the refused token is named twice
cache.token({ subject: 'alice', refusedToken: 'a', refusedTokenSha256: '00' });
// @ts-expect-error a user is provisioned by the subject
cache.provision({ userId: '1' });
// @ts-expect-error a page gets no client's token
cache.accessTokenHandler(() => ({ client: 'backend' }));
// @ts-expect-error a user who is named by the tenant's ID is not provisioned
cache.accessTokenHandler(() => ({ userId: '1', groups: [] }));
// @ts-expect-error a host config has one user
export const two: TokencachedAuthConfig = { host: 'x', subject: 'alice', client: 'backend' };
// @ts-expect-error no token is named
cache.invalidate({ subject: 'alice' });
// @ts-expect-error a token comes from the daemon
new Token();
