/**
 * Calls a tenant's API in the way of the vendor's client, as far as auth modules are concerned: it finds the module by the
 * host config, keeps responses by the host config as JSON, and makes a call once more if the module says so after a failed
 * authentication.
 */
export class QlikClient {
  #modules = new Map();
  #responses = new Map();
  auth = { registerAuthModule: (name, authModule) => this.#modules.set(name.toLowerCase(), authModule) };

  async get(path, hostConfig) {
    const key = JSON.stringify([path, hostConfig]);
    const kept = this.#responses.get(key);
    if (kept) return kept;
    const response = await this.#get(path, hostConfig, true);
    this.#responses.set(key, response);
    return response;
  }

  /** The authorization of a connection to the engine. */
  async webSocketParams(hostConfig) {
    return this.#module(hostConfig).getWebSocketAuthParams({ hostConfig });
  }

  async #get(path, hostConfig, canRetry) {
    const { getRestCallAuthParams, handleAuthenticationError } = this.#module(hostConfig);
    const { headers, queryParams, credentials } = await getRestCallAuthParams({ hostConfig, method: 'GET' });
    const url = new URL(path, /^https?:/.test(hostConfig.host) ? hostConfig.host : `https://${hostConfig.host}`);
    for (const [name, value] of Object.entries(queryParams)) url.searchParams.set(name, value);
    const response = await fetch(url, { headers, credentials });
    if (response.ok) return response.text();
    if (response.status === 401 || response.status === 403) {
      const failure = { hostConfig, status: response.status, headers: response.headers, errorBody: {}, canRetry };
      const { retry } = await handleAuthenticationError(failure);
      if (retry && canRetry) return this.#get(path, hostConfig, false);
    }
    throw Object.assign(new Error('the request failed'), { status: response.status });
  }

  #module(hostConfig) {
    const authModule = this.#modules.get(hostConfig.authType);
    authModule.validateHostConfig({ authType: hostConfig.authType, ...hostConfig });
    return authModule;
  }
}
