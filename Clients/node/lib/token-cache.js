'use strict';

const { accessTokenHandler } = require('./access-token-handler.js');
const { Connections } = require('./connections.js');
const { encode, encodePrefetch } = require('./operations.js');
const { fetchAs } = require('./fetch-as.js');
const { originsOf } = require('./origins.js');
const { ProvisionedUsers } = require('./provisioned-users.js');
const { tokenAfterRefusal, withFingerprint } = require('./refused-token.js');
const { TokenCacheError } = require('./token-cache-error.js');

const DEFAULT_PATH = '/run/tokencached/tokencached.sock';
/**
 * The time for which a reply is awaited after the caller's timeout, in ms. The daemon keeps the timeout itself, and its
 * reply says more than the client could.
 */
const REPLY_GRACE = 1_000;
/** The time for which calls wait for a daemon that isn't there, in seconds. A restart takes less. */
const RESTART_GRACE = 2;
const LONGEST_RESTART_GRACE = 300;

/** A client of the daemon on this machine, over connections that all callers of the process share. See index.d.ts. */
class TokenCache {
  #connections;
  #origins;
  #provisionedUsers = new ProvisionedUsers(this);

  constructor({ path, origin, restartGrace = RESTART_GRACE } = {}) {
    if (!(restartGrace >= 0 && restartGrace <= LONGEST_RESTART_GRACE)) {
      throw new RangeError(`'restartGrace' should be seconds, 0 to ${LONGEST_RESTART_GRACE}`);
    }
    this.#origins = originsOf(origin);
    this.#connections = new Connections(socketPath(path), restartGrace * 1_000, TokenCache.#complete);
  }

  /** The origins to which `fetch` sends tokens. */
  get origins() {
    return [...this.#origins];
  }

  async token({ signal, ...given } = {}) {
    const options = withFingerprint(given);
    const { body, timeout } = encode('token', options);
    const deadline = performance.now() + timeout * 1_000;
    const token = await this.#send('token', body, deadline, signal);
    const send = (name, more) => this.#send(name, encode(name, more).body, deadline, signal);
    return tokenAfterRefusal(token, options, send);
  }

  async prefetch({ signal, ...options } = {}) {
    const { bodies, timeout } = encodePrefetch(options);
    const deadline = performance.now() + timeout * 1_000;
    const total = { queued: 0, cached: 0, refused: 0 };
    for (const body of bodies) {
      const batch = await this.#send('prefetch', body, deadline, signal);
      for (const name of Object.keys(total)) total[name] += batch[name];
    }
    return total;
  }

  invalidate(options) {
    return this.#call('invalidate', options);
  }

  async revoke(options) {
    const answer = await this.#call('revoke', options);
    if (options?.everywhere !== true || answer.upstreamRevoked !== undefined) return answer;
    const message = "the daemon does not know 'everywhere': tokens that were minted elsewhere are still valid";
    throw new TokenCacheError('unsupported_op', message);
  }

  provision(options) {
    return this.#call('provision', options);
  }

  hello(options) {
    return this.#call('hello', options);
  }

  accessTokenHandler(user, options) {
    return accessTokenHandler(this.#provisionedUsers, user, options);
  }

  fetch(user, url, init) {
    return fetchAs(this, this.#origins, user, url, init);
  }

  close() {
    return this.#connections.close();
  }

  async #call(name, { signal, ...options } = {}) {
    const { body, timeout } = encode(name, options);
    return this.#send(name, body, performance.now() + timeout * 1_000, signal);
  }

  #send(name, body, deadline, signal) {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      const call = { name, body, deadline, resolve, reject, signal };
      this.#connections.add(call);
      call.timer = setTimeout(() => this.#timeoutPassed(call), Math.max(0, deadline - performance.now()));
      call.onAbort = () => this.#giveUp(call, signal.reason);
      signal?.addEventListener('abort', call.onAbort, { once: true });
    });
  }

  #timeoutPassed(call) {
    if (this.#connections.isTrying(call) && performance.now() < call.deadline + REPLY_GRACE) {
      call.timer = setTimeout(() => this.#timeoutPassed(call), call.deadline + REPLY_GRACE - performance.now());
      return;
    }
    this.#giveUp(call, this.#connections.timeoutError());
  }

  #giveUp(call, error) {
    this.#connections.giveUp(call);
    TokenCache.#complete(call, error);
  }

  static #complete(call, error, answer) {
    clearTimeout(call.timer);
    call.signal?.removeEventListener('abort', call.onAbort);
    if (error) call.reject(error);
    else call.resolve(answer);
  }
}

/** The given path, or that of the environment unless it is empty, or the package's, without a leading `unix://`. */
function socketPath(given) {
  const path = given ?? (process.env.TOKENCACHED_SOCKET || DEFAULT_PATH);
  if (typeof path !== 'string') throw new TypeError("'path' should be a string");
  return path.startsWith('unix://') ? path.slice('unix://'.length) : path;
}

module.exports = { TokenCache };
