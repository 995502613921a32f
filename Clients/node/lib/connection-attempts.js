'use strict';

const { TokenCacheError } = require('./token-cache-error.js');

/** The shortest and the longest backoff in ms. A restart of the daemon takes some tenths of a second. */
const SHORTEST_BACKOFF = 10;
const LONGEST_BACKOFF = 500;
/**
 * The longest path that Linux accepts for a socket, in bytes. Node would cut a longer one, which then names another
 * file.
 */
const LONGEST_PATH = 107;
/** The errors of a daemon that is restarting, or that isn't there at all. */
const ABSENT = new Set(['ENOENT', 'ECONNREFUSED']);
/**
 * The errors of a daemon that is busy or shutting down. Another attempt doesn't fix any other error, such as EACCES.
 */
const TRANSIENT = new Set(['ECONNRESET', 'ECONNABORTED', 'EPIPE', 'EAGAIN']);
const REASONS = {
  ENOENT: 'there is no socket',
  ECONNREFUSED: 'nobody listens there',
  EACCES: 'this user may not use it',
  EAGAIN: 'the queue of the socket is full',
};

/** Decides when to connect again, in ms, and when to stop waiting for a daemon that isn't there. */
class ConnectionAttempts {
  static LONGEST_BACKOFF = LONGEST_BACKOFF;

  #path;
  #restartGrace;
  #failures = 0;
  #absentSince;
  #lastFailure;

  /** True if the path can't be a socket's, so that no attempt is made. */
  isPathInvalid;

  /** @param restartGrace the time for which calls wait for a daemon that isn't there, in ms. */
  constructor(path, restartGrace) {
    this.#path = path;
    this.#restartGrace = restartGrace;
    this.#lastFailure = faultOf(path);
    this.isPathInvalid = this.#lastFailure !== undefined;
  }

  connected() {
    this.#absentSince = undefined;
  }

  answered() {
    this.#failures = 0;
  }

  /** Records that the daemon has closed a connection. Returns the delay before the next attempt. */
  disconnected() {
    this.#lastFailure = 'the daemon closed the connection';
    return this.#backoff();
  }

  /** Records a failed attempt. Returns the delay before the next one, or undefined if those who wait should be told. */
  failed(code, now) {
    this.#lastFailure = REASONS[code] ?? `the connection failed with ${code}`;
    if (!ABSENT.has(code)) return TRANSIENT.has(code) ? this.#backoff() : undefined;
    this.#absentSince ??= now;
    return now - this.#absentSince < this.#restartGrace ? this.#backoff() : undefined;
  }

  /** The error for callers that need a daemon. */
  unreachable() {
    const reason = this.#lastFailure ?? 'the connection was lost';
    return new TokenCacheError('unreachable', `no daemon could be reached at ${this.#path}: ${reason}`);
  }

  #backoff() {
    const longest = Math.min(LONGEST_BACKOFF, SHORTEST_BACKOFF * 2 ** this.#failures);
    this.#failures += 1;
    return longest * (0.5 + Math.random() / 2);
  }
}

function faultOf(path) {
  const length = Buffer.byteLength(path);
  if (length === 0) return 'the path is empty';
  if (length > LONGEST_PATH) return `the path has ${length} bytes, and a socket's at most ${LONGEST_PATH}`;
  return path.includes('\0') ? 'the path has a NUL in it' : undefined;
}

module.exports = { ConnectionAttempts };
