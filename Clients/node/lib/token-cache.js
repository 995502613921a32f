import { accessTokenHandler } from './access-token-handler.js';
import { Connection } from './connection.js';
import { encode } from './operations.js';
import { fetchAs } from './fetch-as.js';
import { TokenCacheError } from './token-cache-error.js';

const DEFAULT_PATH = '/run/tokencached/tokencached.sock';
/**
 * How much longer than the caller's time-out a reply to what was sent is waited for, in ms: the daemon keeps that time-out
 * itself, and its reply says more than ours could.
 */
const GRACE = 1_000;

/** A tokencached on this machine, through one connection that all callers of the process share. */
export class TokenCache {
  #connection;

  constructor({ path = process.env.TOKENCACHED_SOCKET || DEFAULT_PATH } = {}) {
    this.#connection = new Connection(path, (call, error, answer) => TokenCache.#settle(call, error, answer));
  }

  token(options) {
    return this.#call('token', options);
  }

  prefetch(options) {
    return this.#call('prefetch', options);
  }

  invalidate(options) {
    return this.#call('invalidate', options);
  }

  revoke(options) {
    return this.#call('revoke', options);
  }

  hello(options) {
    return this.#call('hello', options);
  }

  accessTokenHandler(user, options) {
    return accessTokenHandler(this, user, options);
  }

  fetch(user, url, init) {
    return fetchAs(this, user, url, init);
  }

  close() {
    return this.#connection.close();
  }

  async #call(name, options) {
    const { signal, ...rest } = options ?? {};
    signal?.throwIfAborted();
    const { body, timeout } = encode(name, rest);
    return new Promise((resolve, reject) => {
      const call = { name, body, deadline: performance.now() + timeout * 1_000, resolve, reject, signal };
      this.#connection.ask(call);
      call.timer = setTimeout(() => this.#late(call), timeout * 1_000);
      call.onAbort = () => this.#giveUp(call, signal.reason);
      signal?.addEventListener('abort', call.onAbort, { once: true });
    });
  }

  #late(call) {
    if (this.#connection.isTrying(call) && performance.now() < call.deadline + GRACE) {
      call.timer = setTimeout(() => this.#late(call), call.deadline + GRACE - performance.now());
      return;
    }
    const isReachable = this.#connection.isOpen;
    const error = isReachable
      ? new TokenCacheError('timeout', 'the daemon did not answer in time')
      : this.#connection.unreachable();
    this.#giveUp(call, error);
  }

  #giveUp(call, error) {
    this.#connection.giveUp(call);
    TokenCache.#settle(call, error);
  }

  static #settle(call, error, answer) {
    clearTimeout(call.timer);
    call.signal?.removeEventListener('abort', call.onAbort);
    if (error) call.reject(error);
    else call.resolve(answer);
  }
}
