/**
 * Tokens for the vendor's client `@qlik/api`: an auth module that gets them from the tokencached daemon on this machine.
 */

import { Origin, TokenCache } from './index.js';

/**
 * What a host config of the auth type `tokencached` has besides `authType`: the tenant's address, and whose token the call
 * needs.
 *
 * The vendor's client keeps responses by the host config as JSON. So the user has to be in it as a string, not by a
 * function. Don't set one user's config as the default of a process that serves several.
 */
export type TokencachedAuthConfig = (
  | { subject: string; userId?: undefined; client?: undefined }
  | { userId: string; subject?: undefined; client?: undefined }
  | { client: string; subject?: undefined; userId?: undefined }
) & {
  /** The tenant's address, such as `your-tenant.eu.qlikcloud.com`. Its origin has to be one that was named. */
  host: string;
  /** The tenant's name in the daemon's configuration. By default it is the default tenant. */
  tenant?: string;
  /** The scopes, separated by spaces. By default they are those of the configuration. */
  scope?: string;
};

declare global {
  /** The auth types that the vendor's client knows. */
  interface QlikAuthModules {
    tokencached: { config: TokencachedAuthConfig };
  }
}

/** An auth module, as the vendor's client calls it. */
export interface TokencachedAuthModule {
  getRestCallAuthParams(call: { hostConfig: object }): Promise<{
    headers: Record<string, string>;
    queryParams: Record<string, string>;
    credentials: 'omit';
  }>;
  getWebSocketAuthParams(call: { hostConfig: object }): Promise<{
    headers: Record<string, string>;
    queryParams: Record<string, string>;
  }>;
  handleAuthenticationError(failure: {
    hostConfig: object;
    status: number;
    canRetry?: boolean;
  }): Promise<{ retry: boolean; preventDefault: boolean }>;
  validateHostConfig(hostConfig: Record<string, unknown>): boolean;
}

/** The part of the vendor's `auth` that is needed. */
export interface QlikAuth {
  registerAuthModule(name: 'tokencached', authModule: TokencachedAuthModule): void;
}

export interface AuthModuleOptions {
  /** The tenants' URLs: the only origins to which tokens are sent. By default they are those of the `TokenCache`. */
  origin?: Origin;
}

/**
 * Makes the auth module. Throws a TypeError if no origin is named, here or in the `TokenCache`.
 *
 * A call with a wrong host config, or with the host of another origin, fails with `invalid_request`. After status 401
 * the token is reported, and the vendor's client makes the call once more with another one. Several calls at once
 * report it once: for 10 s after a token was replaced, a refusal counts as one of its predecessor.
 */
export function authModule(cache: TokenCache, options?: AuthModuleOptions): TokencachedAuthModule;

/** Registers the auth module with the vendor's client, as the auth type `tokencached`. */
export function register(auth: QlikAuth, cache: TokenCache, options?: AuthModuleOptions): void;
